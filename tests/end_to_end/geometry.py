"""What overlaps, what is cut and what is too small to be hit, found over the DOM of the tab."""

from typing import Any

from tests.end_to_end.tab import Tab

_FIND = r"""
() => {
    // What only assistive technology reads, and what the browser itself draws.
    const UNSEEN = ".unseen, .spoken, select, option, script, style, canvas";
    // Data that is pointed at: its size and place are the picture. Rows, neurons and instances have keys, too.
    const DATA = ".instance-glyph, .changed-square, .row-label *, .group-heading *, .prediction, .histogram *, svg *";
    // Parts for which there is no room go to a line that is not in sight; a title says all of them.
    const LINES = ".panel-facts, .row-path, .matching, .group-count";
    const CONTROLS = "button, input, select, textarea, a[href], [role=button]";

    const isShown = one => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
    const named = one => `${one.tagName.toLowerCase()}.${[...one.classList].join(".")}`
        + ` “${(one.getAttribute("aria-label") ?? one.textContent ?? "").trim().slice(0, 40)}”`;
    const isOpaque = one => !/rgba\(.*, 0\)|transparent/.test(getComputedStyle(one).backgroundColor);
    const boxOf = ({left, top, right, bottom}) => ({left, top, right, bottom});

    /** What is seen of a box, and by what it is cut for good: not by what can be scrolled. */
    const seen = (element, box) => {
        let [rest, cut, place, scrolls] = [boxOf(box), null, getComputedStyle(element).position, false];
        for (let one = element; one && one !== document.body; one = one.parentElement) {
            const style = getComputedStyle(one);
            if (one !== element && place === "absolute" && style.position === "static") continue;
            if (one !== element || element.firstChild) {
                for (const [low, high, flow, length] of [
                    ["left", "right", style.overflowX, [one.scrollWidth, one.clientWidth]],
                    ["top", "bottom", style.overflowY, [one.scrollHeight, one.clientHeight]],
                ]) {
                    if (flow === "visible" || style.display === "inline" || style.display === "contents") continue;
                    const edge = one.getBoundingClientRect();
                    const before = {...rest};
                    rest[low] = Math.max(rest[low], edge[low]);
                    rest[high] = Math.min(rest[high], edge[high]);
                    const isCut = rest[low] > before[low] + 1.5 || rest[high] < before[high] - 1.5;
                    if (!isCut) continue;
                    if (/auto|scroll/.test(flow) && length[0] > length[1]) scrolls = true;
                    else if (!scrolls) cut ??= {one, isWhole: rest[low] >= rest[high], isAcross: low === "left"};
                }
            }
            if (style.position === "fixed" || one.matches("[popover], dialog")) break;
            place = style.position;
        }
        return {rest: rest.left < rest.right - 1 && rest.top < rest.bottom - 1 ? rest : null, cut};
    };

    const [items, cut] = [[], []];
    const range = document.createRange();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const parent = node.parentElement;
        if (node.data.trim() === "" || parent.closest(UNSEEN) || !isShown(parent)) continue;
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            if (box.width === 0) continue;
            const found = seen(parent, box);
            const title = parent.closest("[title], [aria-label]");
            if (found.cut && !parent.closest("svg")) {
                const isEllipsis = found.cut.isAcross && getComputedStyle(found.cut.one).textOverflow === "ellipsis";
                const isLine = found.cut.isWhole && parent.closest(LINES);
                if (!isLine && !(isEllipsis && title)) cut.push(`${named(parent)}: cut by ${named(found.cut.one)}`);
            }
            if (found.rest) items.push({one: parent, box: found.rest, isText: true});
        }
    }

    const context = document.createElement("canvas").getContext("2d");
    const widthOf = (one, text) => {
        const style = getComputedStyle(one);
        context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        return context.measureText(text).width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    };
    const controls = [...document.querySelectorAll(CONTROLS)].filter(one => isShown(one)
        || (one.matches("select, input") && one.closest("label") && isShown(one.closest("label"))));
    const targets = [];
    for (const one of controls) {
        const isBox = one.matches("input[type=checkbox], input[type=radio], input[type=file]");
        const hit = (isBox && one.closest("label")) || one;
        const box = hit.getBoundingClientRect();
        if (box.width < 2 || box.height < 2) continue;
        const {rest, cut: by} = seen(hit, box);
        if (!rest && by && !one.closest(LINES)) cut.push(`${named(one)}: out of reach in ${named(by.one)}`);
        if (!rest) continue;
        if (!one.closest("svg")) items.push({one, box: rest, isText: false});
        targets.push({one, box: boxOf(box)});
        if (one.matches("select:not(.colour-choice *)")) {
            const text = one.selectedOptions[0]?.textContent ?? "";
            if (widthOf(one, text) + 14 > one.clientWidth && !one.title) cut.push(`${named(one)}: cuts “${text}”`);
        }
        if (one.matches("input[placeholder]") && one.value === "" && widthOf(one, one.placeholder) > one.clientWidth + 1
            && getComputedStyle(one).textOverflow !== "ellipsis") cut.push(`${named(one)}: cuts “${one.placeholder}”`);
    }

    /** Whether one of the two stands on a ground of its own before the other. */
    const isBefore = (first, second) => {
        for (let one = first; one && !one.contains(second); one = one.parentElement) {
            if (getComputedStyle(one).position !== "static" && isOpaque(one)) return true;
        }
        return false;
    };
    const overlaps = [];
    const MARKS = ".instance-glyph, .prediction, .changed-square, .overview-handle";
    const marks = items.filter(({one}) => !one.matches(MARKS));
    for (const [at, first] of marks.entries()) {
        for (const second of marks.slice(at + 1)) {
            const across = Math.min(first.box.right, second.box.right) - Math.max(first.box.left, second.box.left);
            const down = Math.min(first.box.bottom, second.box.bottom) - Math.max(first.box.top, second.box.top);
            if (across <= 1.5 || down <= 2.5) continue;
            const [a, b] = [first.one, second.one];
            if (a.contains(b) || b.contains(a)) continue;
            const label = a.closest("label, button, .slider, .find, .find-node, .condition-field");
            // The buttons of a row stand on it.
            if (a.closest(".row-header") && a.closest(".row-header") === b.closest(".row-header")
                && !(first.isText && second.isText)) continue;
            if (label && label === b.closest("label, button, .slider, .find, .find-node, .condition-field")) continue;
            if (isBefore(a, b) || isBefore(b, a)) continue;
            overlaps.push(`${named(a)} and ${named(b)}: ${Math.round(across)} × ${Math.round(down)} px`);
        }
    }

    const small = [];
    const middle = ({left, top, right, bottom}) => [(left + right) / 2, (top + bottom) / 2];
    const isSmall = ({left, top, right, bottom}) => right - left < 23.9 || bottom - top < 23.9;
    for (const {one, box} of targets) {
        if (!isSmall(box) || one.matches(DATA) || getComputedStyle(one).display === "inline") continue;
        const [x, y] = middle(box);
        const near = targets.find(other => {
            if (other.one === one || other.one.matches(".overview-handle")) return false;
            const [otherX, otherY] = middle(other.box);
            if (isSmall(other.box)) return Math.hypot(x - otherX, y - otherY) < 23.9;
            const across = Math.max(other.box.left - x, 0, x - other.box.right);
            return Math.hypot(across, Math.max(other.box.top - y, 0, y - other.box.bottom)) < 11.9;
        });
        if (near) small.push(`${named(one)} ${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}: `
            + `near ${named(near.one)}`);
    }

    const {scrollWidth, clientWidth} = document.documentElement;
    const across = scrollWidth > clientWidth ? [`${scrollWidth - clientWidth} px`] : [];
    const unique = list => [...new Set(list)];
    return {overlaps: unique(overlaps), cut: unique(cut), small: unique(small), across};
}
"""


def flaws(tab: Tab) -> dict[str, list[str]]:
    """By kind, a line each: texts and controls that overlap, cut labels, small targets, a page that scrolls sideways.

    A target is 24 pixels wide and high, or that far from others (WCAG 2.5.8); marks of data may be smaller.
    """
    found: dict[str, Any] = tab.frame.evaluate(_FIND)
    return {kind: lines for kind, lines in found.items() if lines}
