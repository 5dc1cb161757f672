// @ts-check
/**
 * The only place where elements are made. What comes from data goes in as text and never as markup; the page's policy
 * (`require-trusted-types-for 'script'`) makes the browser refuse any other way.
 */

/** @typedef {Node | string | null | undefined} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children; strings become text, of which nothing is hidden.
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), attributes, children));
}

/**
 * The same of SVG.
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS(SVG, tag), attributes, children));
}

/** Characters that are not seen, or that turn round what stands beside them. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Text of data as it is, with what could not be seen of it written out: `A\u{202e}B`. Lines stay lines.
 * @param {string} text
 */
function seen(text) {
  return text.replace(UNSEEN, (each) => (each === "\n" ? each : `\\u{${each.codePointAt(0)?.toString(16)}}`));
}

/**
 * The element of the page with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Sets an element's text, if it is another: a selection in it stays, and nothing is drawn again for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const shown = seen(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) {
    if (child !== null && child !== undefined)
      element.append(typeof child === "string" ? seen(child) : child);
  }
  return element;
}
