/** Host page of TensorBoard: dark mode, whether the tab is in front, and that data were reloaded. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { accessibleParent } from "./address";

export interface Host {
  dark: ReadonlySignal<boolean>;
  /** False while another tab is in front: TensorBoard then gives the frame no height. */
  visible: ReadonlySignal<boolean>;
  /** Calls `listener` after TensorBoard reloaded its data; returns how to stop. */
  onReload(listener: () => void): () => void;
}

/** Observes the page around `self` for as long as the frame lives. */
export function observeHost(self: Window): Host {
  const listeners = new Set<() => void>();
  listenToReloads(self, () => {
    for (const listener of listeners) listener();
  });
  return {
    dark: observeDarkMode(self),
    visible: observeVisibility(self),
    onReload: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function observeDarkMode(self: Window): ReadonlySignal<boolean> {
  const body = accessibleParent(self)?.document.body;
  const read = () => body?.classList.contains("dark-mode") ?? false;
  const dark = signal(read());
  if (body) {
    new MutationObserver(() => {
      dark.value = read();
    }).observe(body, { attributes: true, attributeFilter: ["class"] });
  }
  return dark;
}

function observeVisibility(self: Window): ReadonlySignal<boolean> {
  const read = () => self.innerHeight > 0 && self.document.visibilityState === "visible";
  const visible = signal(read());
  const update = () => {
    visible.value = read();
  };
  self.addEventListener("resize", update);
  self.document.addEventListener("visibilitychange", update);
  return visible;
}

/** Speaks the guest's half of TensorBoard's experimental plugin protocol, as far as one message goes. */
function listenToReloads(self: Window, reloaded: () => void): void {
  if (self.parent === self) return;
  const channel = new MessageChannel();
  channel.port1.onmessage = (event: MessageEvent<unknown>) => {
    if (messageType(event.data) === "experimental.DataReloaded") reloaded();
  };
  self.parent.postMessage("experimental.bootstrap", "*", [channel.port2]);
}

function messageType(data: unknown): unknown {
  try {
    const message: unknown = typeof data === "string" ? JSON.parse(data) : data;
    return (message as { type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}
