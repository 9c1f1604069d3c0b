/** Attributes of the wire: what their types allow. */

/** Whether dots can be coloured by an attribute. */
export const isColourable = ({ type }: { type: string }): boolean =>
  ["number", "category", "boolean", "time"].includes(type);
