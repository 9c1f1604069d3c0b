/** Which colour is which class; with many classes, a list to choose those that keep a colour. */

import { toggle } from "../../state/durable";
import { Popup } from "../widgets/controls";
import { ClassDot } from "../widgets/glyphs";
import { useClassColours, usePalette, useStore } from "../widgets/store";

export function Legend() {
  const classes = useStore().catalogue.snapshot.value?.classes ?? [];
  const colours = useClassColours();
  const limit = usePalette().classes.length;
  if (classes.length > limit) return <ClassChooser classes={classes} colours={colours} limit={limit} />;
  return (
    <ul class="legend" aria-label="Classes">
      {classes.map((name, label) => (
        <li key={name} title={name}>
          <ClassDot colour={colours[label]} />
          <span>{name}</span>
        </li>
      ))}
    </ul>
  );
}

interface ClassChooserProperties {
  classes: readonly string[];
  colours: readonly string[];
  limit: number;
}

function ClassChooser({ classes, colours, limit }: ClassChooserProperties) {
  const { durable } = useStore();
  const other = usePalette().otherClass;
  const isColoured = (label: number) => colours[label] !== other;
  const coloured = classes.filter((_, label) => isColoured(label));
  const choose = (name: string) => {
    if (durable.coloured.value.length === 0) durable.coloured.value = coloured;
    toggle(durable.coloured, name);
  };
  return (
    <Popup
      class="class-chooser"
      summary={
        <>
          {coloured.slice(0, limit).map((name) => (
            <ClassDot key={name} colour={colours[classes.indexOf(name)]} />
          ))}
          <span>
            {classes.length} classes, {coloured.length} coloured
          </span>
        </>
      }
    >
      <div class="class-list">
        <p>Up to {limit} classes keep a colour of their own; the others are grey.</p>
        {classes.map((name, label) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={isColoured(label)}
              disabled={!isColoured(label) && coloured.length >= limit}
              onChange={() => choose(name)}
            />
            <ClassDot colour={colours[label]} />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </Popup>
  );
}
