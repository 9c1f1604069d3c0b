/** Pictures and sounds of an instance. */

import { useSignal } from "@preact/signals";
import type { AttributeColumn } from "../contract/activis";
import { isPresent } from "../store/tables";
import { useSnapshot, useTab } from "./context";

interface MediaProperties {
  attribute: AttributeColumn;
  row: number;
}

export function Picture({ attribute, row }: MediaProperties) {
  const url = useMediaUrl(attribute, row);
  const failed = useSignal("");
  if (url === null) return <p class="hint">no {attribute.name}</p>;
  if (failed.value === url) return <p class="hint">{attribute.name} cannot be shown</p>;
  return (
    <img
      src={url}
      alt={attribute.name}
      title={attribute.name}
      onError={() => {
        failed.value = url;
      }}
    />
  );
}

export function Sound({ attribute, row }: MediaProperties) {
  const url = useMediaUrl(attribute, row);
  if (url === null) return <p class="hint">no {attribute.name}</p>;
  return (
    // biome-ignore lint/a11y/useMediaCaption: a recorded instance has no captions.
    <audio controls preload="metadata" src={url} title={attribute.name} data-testid="sound" />
  );
}

/** The instance's first picture, as small as a line; nothing where it has none. */
export function Thumbnail({ row }: { row: number }) {
  const columns = useSnapshot().instances.state.value.value;
  const attribute = columns?.attributes.find((one) => one.type === "image" && isPresent(one, row));
  return attribute ? <LinePicture attribute={attribute} row={row} /> : null;
}

function LinePicture({ attribute, row }: MediaProperties) {
  const url = useMediaUrl(attribute, row);
  return url === null ? null : <img class="thumbnail" src={url} alt="" loading="lazy" data-testid="thumbnail" />;
}

function useMediaUrl(attribute: AttributeColumn, row: number): string | null {
  const { client } = useTab();
  const reference = useSnapshot().reference.value;
  return reference && isPresent(attribute, row) ? client.imageUrl(reference, attribute.name, row) : null;
}
