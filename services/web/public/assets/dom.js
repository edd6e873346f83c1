// @ts-check
/** The few things that every page does with its document. Data goes into text nodes only. */

/**
 * The element with this id, which the page's HTML must have.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} with the id ${id}`);
}

/**
 * A new element with a class and what stands in it.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * Text that people wrote: its direction is its own.
 * @param {string} className
 * @param {string} text
 */
export function written(className, text) {
  const element = make("span", className, text);
  element.dir = "auto";
  return element;
}

/**
 * Shows one of the page's views and hides the others; moves the focus to its heading, so that a
 * screen reader says where it is. Whether the view is a new one.
 */
export function showView(/** @type {string} */ id) {
  const view = byId(id, HTMLElement);
  if (!view.hidden) return false;
  for (const other of document.querySelectorAll("[data-view]"))
    if (other instanceof HTMLElement) other.hidden = other !== view;
  const heading = view.querySelector("[tabindex='-1']");
  if (heading instanceof HTMLElement) heading.focus();
  return true;
}

/** Says something to a screen reader, politely. */
export function announce(/** @type {string} */ text) {
  byId("announcer", HTMLElement).textContent = text;
}

/** Shows or, with no text, hides the line at the top of the page. */
export function banner(/** @type {string} */ text) {
  const line = byId("banner", HTMLElement);
  line.textContent = text;
  line.hidden = text === "";
}

/** Writes a text and hides the element where there is none. */
export function textOrHide(/** @type {HTMLElement} */ element, /** @type {string} */ text) {
  element.textContent = text;
  element.hidden = text === "";
}

/** Width of a bar by the stylesheet's --share, 0 to 1. */
export function setShare(/** @type {HTMLElement} */ bar, /** @type {number} */ share) {
  bar.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
}
