/** How a view reaches the store and the colours. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { classColours, DARK, LIGHT, type Palette } from "../../draw/palette";
import type { Store } from "../../state/store";

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

/** A colour per class of the snapshot that is shown. */
export function useClassColours(): readonly string[] {
  const { catalogue, durable } = useStore();
  return classColours(usePalette(), catalogue.snapshot.value?.classes ?? [], durable.coloured.value);
}
