/** Deferred work: what is heavy and not looked at first waits for the next frames. */
import { useEffect, useState } from "preact/hooks";

/**
 * Returns `value` as it was until the frame that it changed in is painted, and then as it is.
 *
 * @param frames So many more are painted before.
 */
export function useLater<Value>(value: Value, frames = 0): Value {
  const [shown, show] = useState(() => value);
  useEffect(() => {
    if (frames === 0) return show(() => value);
    let [left, timer] = [frames, 0];
    // What is begun in a frame is drawn in it: after it, there is time until the next.
    let request = requestAnimationFrame(function wait() {
      if (--left > 0) request = requestAnimationFrame(wait);
      else timer = window.setTimeout(() => show(() => value));
    });
    return () => {
      cancelAnimationFrame(request);
      clearTimeout(timer);
    };
  }, [value, frames]);
  return shown;
}
