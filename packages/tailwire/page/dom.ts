/** The few things this page asks of the DOM: find, make, and fill in. */

/** The element at a selector. @throws Error when the page's markup and its code disagree. */
export function find<Found extends Element>(
  within: ParentNode,
  selector: string,
  type: new () => Found,
): Found {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** A new element with a class and a text. Text is never taken for markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = "",
  text = "",
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}

/** Sets a text where it has changed, so that screen readers and layout aren't bothered. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A copy of a template's only element. */
export function fromTemplate(selector: string): HTMLElement {
  const copy = find(document, selector, HTMLTemplateElement).content.cloneNode(true);
  return find(copy as DocumentFragment, "*", HTMLElement);
}

const grouped = new Intl.NumberFormat("en");

/** 12,345 */
export function count(value: number): string {
  return grouped.format(value);
}
