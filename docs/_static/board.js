// Tables of the class "board": a click on a column's head sorts by it, the box above leaves the rows that hold its words.
"use strict";

function value(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text);
  return Number.isNaN(number) ? text : number;
}

// What is empty comes last, whichever way the rest goes.
function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
}

function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const before = heads[column].getAttribute("aria-sort");
  const numbers = rows.some((row) => typeof value(row, column) === "number");
  // Numbers begin with the highest, words with the first of the alphabet.
  const first = numbers ? "descending" : "ascending";
  const other = numbers ? "ascending" : "descending";
  const order = before === first ? other : first;
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  rows.sort((a, b) => compare(value(a, column), value(b, column), sign)).forEach((row) => body.append(row));
}

function filter(table, words) {
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.board")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.append(...head.querySelector("p").childNodes);
      button.addEventListener("click", () => sort(table, column));
      head.querySelector("p").append(button);
    });
    const box = document.createElement("input");
    box.type = "search";
    box.className = "board-filter";
    box.placeholder = "Filter, such as: ff none";
    box.setAttribute("aria-label", "Filter the table");
    box.addEventListener("input", () => filter(table, box.value.toLowerCase().split(/\s+/).filter(Boolean)));
    (table.closest(".table-wrapper") || table).before(box);
  }
});
