/** Views that the first picture lacks, as one chunk. */
export { DockedInstance } from "./views/compare/docked";
export { ComparisonStrip } from "./views/compare/strip";
export { Help } from "./views/help/help";
export { OverSteps } from "./views/steps/over_steps";
