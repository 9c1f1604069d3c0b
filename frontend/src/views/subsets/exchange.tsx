/** Subsets as a file: the names and conditions that `preprocess(subsets=...)` takes. */

import { useSignal } from "@preact/signals";
import { sentenceOf } from "../../store/resource";
import { exportSubsets, importSubsets } from "../../store/subset_list";
import { fileName } from "../../store/tables";
import { useStore } from "../../ui/context";
import { saveFile, textFile } from "../../ui/export";

export function Exchange() {
  const store = useStore();
  const { subsets } = store;
  const problem = useSignal("");
  const load = async (input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      subsets.replace(importSubsets(subsets.list.peek(), await file.text()));
      problem.value = "";
    } catch (error) {
      problem.value = `${file.name}: ${sentenceOf(error)}`;
    }
    input.value = "";
  };
  return (
    <>
      <span class="exchange">
        <label class="file-button">
          Import
          <input
            type="file"
            class="unseen"
            accept=".json,application/json"
            data-testid="subset-import"
            onChange={(event) => void load(event.currentTarget)}
          />
        </label>
        <button
          type="button"
          data-testid="subset-export"
          title="A JSON of names and conditions, as preprocess(subsets=...) takes it"
          disabled={subsets.list.value.length === 0}
          onClick={() =>
            saveFile(
              fileName(store, "subsets", "json"),
              textFile(exportSubsets(subsets.list.peek()), "application/json"),
            )
          }
        >
          Export
        </button>
      </span>
      {problem.value !== "" && (
        <p class="wrong" role="alert" data-testid="subset-import-error">
          {problem.value}
        </p>
      )}
    </>
  );
}
