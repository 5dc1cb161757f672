/** From `uPlot.iife.min.js`, which stands before the page's own script. */
declare const uPlot: typeof import("uplot");
