/** Context of the views: the store and the colours. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { classColours, DARK, LIGHT, type Palette } from "../draw/palette";
import type { Store } from "../store/store";

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("A view was used outside of StoreContext.");
  return store;
}

/** The colours in force; the caller is drawn again when the host's theme changes. */
export function usePalette(): Palette {
  return useStore().host.dark.value ? DARK : LIGHT;
}

/** A colour per class of the snapshot that is shown; of one that is compared, the colours that the base gives them. */
export function useClassColours(): readonly string[] {
  const store = useStore();
  const { catalogue, durable } = store;
  const palette = usePalette();
  const named = (store.base ?? store).catalogue.snapshot.value?.classes ?? [];
  const colours = classColours(palette, named, durable.coloured.value);
  return (catalogue.snapshot.value?.classes ?? []).map((name) => colours[named.indexOf(name)] ?? palette.otherClass);
}
