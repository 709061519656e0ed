"use strict";
// A click on a heading sorts its table: by number where the cells begin with one, else by text.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    const column = head.cellIndex, text = (row) => row.cells[column].textContent;
    const number = (row) => parseFloat(text(row).replace("−", "-").replace(/^> /, ""));
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [number(a), number(b)];
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
      return (up ? 1 : -1) * (Number.isNaN(x) ? text(a).localeCompare(text(b)) : x - y);
    });
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows);
  });
}
// A series is what is drawn in its colours.
for (const button of document.querySelectorAll(".series button")) {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    const colours = button.dataset.colours.split(" ");
    for (const mark of button.closest("figure").querySelectorAll("svg [stroke], svg [fill]")) {
      const of = (name) => (mark.getAttribute(name) || "").toUpperCase();
      if (colours.includes(of("stroke")) || colours.includes(of("fill"))) mark.style.display = shown ? "" : "none";
    }
  });
}
