/** Legend of the classes. A click sorts by one; with many, a list chooses those that keep a colour. */

import type { MatrixRow } from "../../store/rows";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { ClassDot } from "../../ui/glyphs";
import { leaveHover } from "../../ui/lighting";
import { countText } from "../../ui/numbers";
import { textWidth } from "../../ui/ruler";
import { useSize } from "../../ui/surface";

const ClassChooser = deferred(async () => (await import("./class_chooser")).ClassChooser);

export function Legend() {
  const classes = useTab().catalogue.snapshot.value?.classes ?? [];
  const colours = useClassColours();
  const limit = usePalette().classes.length;
  const [area, size] = useSize<HTMLDivElement>();
  const fits = classes.length <= limit && classes.reduce((sum, name) => sum + itemWidth(name), 0) <= size.width;
  return (
    <div class="legend" ref={area} data-testid="legend">
      {size.width > 0 &&
        (fits ? <ClassButtons classes={classes} /> : <ClassMenu classes={classes} colours={colours} limit={limit} />)}
    </div>
  );
}

const LONGEST_NAME = 24;

/** Of a dot, a name in the weight of the chosen one, and the gap after it. */
const itemWidth = (name: string): number => 29 + textWidth(name.slice(0, LONGEST_NAME), "500 12px Roboto");

function ClassButtons({ classes }: { classes: readonly string[] }) {
  return (
    <ul class="class-buttons" aria-label="Classes">
      {classes.map((name, label) => (
        <li key={name}>
          <ClassButton name={name} label={label} />
        </li>
      ))}
    </ul>
  );
}

/** Sorts by the class, and lights it while it is pointed at. */
function ClassButton({ name, label }: { name: string; label: number }) {
  const { catalogue, urlState } = useTab();
  const { hover, rows } = useSnapshot();
  const colours = useClassColours();
  if (catalogue.snapshot.value?.unlabelled) {
    return (
      <span class="class-button" title={`Predicted ${name}; the instances have no labels`}>
        <ClassDot colour={colours[label]} />
        <span>{name}</span>
      </span>
    );
  }
  const key = `class:${name}`;
  const light = () => {
    const row: MatrixRow | undefined = rows.value.find((candidate) => candidate.key === key);
    hover.value = row ? { source: "label", row } : null;
  };
  const off = () => {
    hover.value = null;
  };
  return (
    <button
      type="button"
      class="class-button"
      aria-pressed={urlState.sort.value === key}
      title={`${name}: click to sort the neurons by it`}
      onPointerEnter={light}
      onPointerLeave={() => leaveHover(hover)}
      onFocus={light}
      onBlur={off}
      onClick={() => {
        urlState.sort.value = key;
      }}
    >
      <ClassDot colour={colours[label]} />
      <span>{name}</span>
    </button>
  );
}

interface ClassMenuProperties {
  classes: readonly string[];
  colours: readonly string[];
  limit: number;
}

function ClassMenu({ classes, colours, limit }: ClassMenuProperties) {
  const other = usePalette().otherClass;
  const coloured = colours.filter((colour) => colour !== other);
  const choosing = classes.length > limit;
  return (
    <Popup
      class="menu class-menu"
      testId="class-menu"
      summary={
        <>
          <span class="dots">
            {coloured.map((colour) => (
              <ClassDot key={colour} colour={colour} />
            ))}
          </span>
          <span>{countText(classes.length)} classes</span>
        </>
      }
    >
      <div class="menu-body class-list">
        {choosing ? (
          <ClassChooser classes={classes} colours={colours} limit={limit} />
        ) : (
          <ClassButtons classes={classes} />
        )}
      </div>
    </Popup>
  );
}
