"use strict";
// Uses the page as a reader does and writes what it finds into the title.
const found = { problems: window.problems, hidden: [], contrast: 99, worst: "" };
const buttons = [...document.querySelectorAll("th button")];
const column = () => [...buttons[4].closest("table").tBodies[0].rows].map((row) => parseFloat(row.cells[4].textContent));
buttons[4].click();
found.ascending = column();
buttons[4].click();
found.descending = column();
found.sort = buttons[4].closest("th").getAttribute("aria-sort");

const figure = document.querySelector(".series").closest("figure");
const hidden = () => [...figure.querySelectorAll("svg *")].filter((mark) => mark.style.display === "none").length;
const series = figure.querySelector(".series button");
for (let click = 0; click < 2; click++) {
  series.focus();
  series.click();
  found.hidden.push(hidden());
}
found.focus = document.activeElement === series;
found.unnamed = [...document.querySelectorAll("svg")].filter((svg) => !svg.getAttribute("aria-label")).length;
found.headings = [...document.querySelectorAll("h2")].map((heading) => heading.textContent);
found.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;

// WCAG's contrast of every text with what it stands on.
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = ([r, g, b]) => {
  const linear = (c) => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = channels(getComputedStyle(element).backgroundColor);
    if (colour[3] !== 0) return colour;
  }
  return [255, 255, 255];
};
for (const element of document.querySelectorAll("h1, h2, p, code, td, th button, caption, figcaption, summary, .series button")) {
  const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < found.contrast) [found.contrast, found.worst] = [contrast, element.tagName];
}
document.title = JSON.stringify(found);
