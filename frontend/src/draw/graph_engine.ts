/** Engine that places graphs beside the page's own work: in a worker, else in the page. */
import type { LayoutResult } from "./graph_placing";
import type { LayoutRequest } from "./graph_tree";

export type Place = (request: LayoutRequest) => Promise<LayoutResult>;

interface Waiting {
  resolve: (result: LayoutResult) => void;
  reject: (reason: unknown) => void;
}

/** Starts the worker, once, before anything is asked of it. */
export function startEngine(createWorker: () => Worker = createLayoutWorker): Place {
  let worker: Worker | null = null;
  const waiting = new Map<number, Waiting & { request: LayoutRequest }>();
  let count = 0;

  const giveUp = () => {
    worker?.terminate();
    worker = null;
    for (const { request, resolve, reject } of waiting.values()) placeHere(request).then(resolve, reject);
    waiting.clear();
  };
  try {
    worker = createWorker();
    worker.onerror = giveUp;
    worker.onmessage = ({ data }: MessageEvent<{ number: number; result: LayoutResult }>) => {
      waiting.get(data.number)?.resolve(data.result);
      waiting.delete(data.number);
    };
  } catch {
    worker = null;
  }

  return (request) => {
    if (!worker) return placeHere(request);
    const number = count++;
    worker.postMessage({ number, request });
    return new Promise((resolve, reject) => waiting.set(number, { request, resolve, reject }));
  };
}

// The build names the imported file so; the host's content security policy refuses workers that are no files.
const WORKER_FILE = "./graph_placing.js";

const createLayoutWorker = (): Worker =>
  new Worker(new URL(/* @vite-ignore */ WORKER_FILE, import.meta.url), { type: "module" });

async function placeHere(request: LayoutRequest): Promise<LayoutResult> {
  const { placeGraph } = await import("./graph_placing");
  return placeGraph(request);
}
