/** Asking again until an answer is there. */

import { type Computed, RouteError } from "../contract/client";

export const POLL_MILLISECONDS = 250;
export const BUSY_MILLISECONDS = 2_000;

/** Whether to ask again after a while: the server is too busy, or did not answer at all. */
export const isBusy = (error: unknown): boolean => error instanceof RouteError && error.passes;

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Asks until what is computed is done, or `signal` aborts. */
export async function untilDone<Value>(ask: () => Promise<Computed<Value>>, signal: AbortSignal): Promise<Value> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const { done, value } = await ask();
      if (done) return value;
      await pause(POLL_MILLISECONDS, signal);
    } catch (error) {
      if (!isBusy(error) || signal.aborted) throw error;
      await pause(BUSY_MILLISECONDS, signal);
    }
  }
}
