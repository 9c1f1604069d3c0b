/** Tab and its styles, as public/index.js asks for them. */

import "@fontsource/roboto/latin-400.css";
import "@fontsource/roboto/latin-500.css";
import "@fontsource/roboto-mono/latin-400.css";
import "./ui/base.css";
import "./ui/menu.css";
import "./views/toolbar/toolbar.css";
import "./views/graph/graph.css";
import "./views/graph/picture.css";
import "./views/graph/card.css";
import "./views/sentence/sentence.css";
import "./views/panel/panel.css";
import "./views/panel/matrix.css";
import "./views/panel/rows.css";
import "./views/panel/projection.css";
import "./views/instances/instances.css";
import "./views/instances/lit.css";
import "./views/instances/test_cases.css";
import "./views/instances/card.css";
import "./views/subsets/manager.css";
import "./views/subsets/subsets.css";
import "./views/subsets/pointing.css";
import "./views/help/help.css";
import "./views/compare/compare.css";
import "./views/panel/sides.css";
import "./views/steps/steps.css";
import "./views/neuron/neuron.css";
import "./ui/column.css";
import "./ui/forced_colours.css";

export { show } from "./app";
