// @ts-check
/** Where things are in the drawing: in a row on a wide screen, in a column on a narrow one. */

/**
 * @typedef {"producers" | "recorder" | "log" | "memory" | "spool" | "clickhouse"} NodeName
 * @typedef {"offered" | "accepted" | "logged" | "replayed" | "spooled" | "unspooled" | "stored" | "refused" | "thinned"
 *   | "dropped" | "letters"} EdgeName
 * @typedef {{ x: number, y: number, w: number, h: number }} Box
 * @typedef {{ path: string, x: number, y: number, anchor: "start" | "middle" | "end" }} EdgePlace
 * @typedef {{ left: number, width: number, height: number, nodes: Readonly<Record<NodeName, Box>>,
 *   edges: Readonly<Record<EdgeName, EdgePlace>> }} Places
 */

/** @type {Places} */
export const WIDE = {
  left: 0,
  width: 1200,
  height: 300,
  nodes: {
    producers: { x: 1, y: 118, w: 158, h: 78 },
    recorder: { x: 300, y: 118, w: 170, h: 78 },
    log: { x: 455, y: 1, w: 190, h: 76 },
    memory: { x: 630, y: 118, w: 170, h: 78 },
    spool: { x: 823, y: 1, w: 190, h: 76 },
    clickhouse: { x: 1021, y: 118, w: 178, h: 78 },
  },
  edges: {
    offered: { path: "M160 157H296", x: 226, y: 130, anchor: "middle" },
    accepted: { path: "M470 157H626", x: 548, y: 130, anchor: "middle" },
    stored: { path: "M800 157H1017", x: 908, y: 130, anchor: "middle" },
    logged: { path: "M385 118V49Q385 41 393 41H451", x: 374, y: 70, anchor: "end" },
    replayed: { path: "M645 41H672Q680 41 680 49V114", x: 668, y: 96, anchor: "end" },
    spooled: { path: "M750 118V49Q750 41 758 41H819", x: 740, y: 70, anchor: "end" },
    unspooled: { path: "M1013 41H1102Q1110 41 1110 49V114", x: 1122, y: 70, anchor: "start" },
    refused: { path: "M336 196V238", x: 336, y: 258, anchor: "middle" },
    thinned: { path: "M434 196V238", x: 434, y: 258, anchor: "middle" },
    dropped: { path: "M715 196V238", x: 715, y: 258, anchor: "middle" },
    letters: { path: "M1110 196V238", x: 1110, y: 258, anchor: "middle" },
  },
};

/** @type {Places} */
export const NARROW = {
  left: -14,
  width: 384,
  height: 566,
  nodes: {
    producers: { x: 76, y: 2, w: 146, h: 76 },
    recorder: { x: 76, y: 148, w: 146, h: 76 },
    log: { x: 232, y: 222, w: 127, h: 76 },
    memory: { x: 76, y: 302, w: 146, h: 76 },
    spool: { x: 232, y: 410, w: 127, h: 76 },
    clickhouse: { x: 76, y: 486, w: 146, h: 76 },
  },
  edges: {
    offered: { path: "M149 78V144", x: 160, y: 107, anchor: "start" },
    accepted: { path: "M149 224V298", x: 138, y: 258, anchor: "end" },
    stored: { path: "M149 378V482", x: 138, y: 426, anchor: "end" },
    logged: { path: "M222 170H292Q300 170 300 178V218", x: 309, y: 188, anchor: "start" },
    replayed: { path: "M300 298V316Q300 324 292 324H226", x: 309, y: 316, anchor: "start" },
    spooled: { path: "M222 356H292Q300 356 300 364V406", x: 309, y: 374, anchor: "start" },
    unspooled: { path: "M300 486V516Q300 524 292 524H226", x: 309, y: 506, anchor: "start" },
    refused: { path: "M76 166H64", x: 58, y: 162, anchor: "end" },
    thinned: { path: "M76 206H64", x: 58, y: 202, anchor: "end" },
    dropped: { path: "M76 340H64", x: 58, y: 336, anchor: "end" },
    letters: { path: "M76 524H64", x: 58, y: 520, anchor: "end" },
  },
};
