// Tables that can be sorted and copied, and folds that open for a link to what is in them.

// Opens the folds around the target of the page's address.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
if (location.hash) openTarget();

// The number at the start of a text, as in `0.0660 ± 0.0028`; NaN without one.
const leading = (text) => Number.parseFloat(text.replace(/^[^\d+-]*(?=[\d+-])/, ""));

// Sorts a table by the column of a header: numbers by value, and other texts by letters.
function sortBy(table, header) {
  const headers = [...table.tHead.rows[0].cells];
  const column = headers.indexOf(header);
  const sign = header.ariaSort === "ascending" ? -1 : 1;
  for (const other of headers) other.removeAttribute("aria-sort");
  header.ariaSort = sign > 0 ? "ascending" : "descending";
  const text = (row) => row.cells[column].textContent.trim();
  const body = table.tBodies[0];
  const isNumeric = header.classList.contains("right") || [...body.rows].every((row) => /^([-+]?\d|-$)/.test(text(row)));
  const compare = (a, b) => {
    if (!isNumeric) return text(a).localeCompare(text(b));
    const [x, y] = [leading(text(a)), leading(text(b))];
    // A row without a number stays at the end.
    if (Number.isNaN(x) || Number.isNaN(y)) return sign * (Number.isNaN(x) - Number.isNaN(y));
    return x - y;
  };
  body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
}

// The table as CSV, with quotes around fields that need them.
function asCsv(table) {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [...table.rows].map((row) => Array.from(row.cells, (field) => field.textContent.trim()));
  return rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that was opened as a file may have no clipboard.
    const area = make("textarea", document.body, { value: text, className: "unseen" });
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

for (const box of document.querySelectorAll(".table")) {
  const table = box.querySelector("table");
  for (const header of table.tHead.rows[0].cells) {
    if (!header.textContent) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(table, header));
  }
  const tools = make("p", box, { className: "tools" });
  const button = make("button", tools, { type: "button", textContent: "Copy as CSV" });
  button.addEventListener("click", async () => {
    await copy(asCsv(table));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy as CSV"; }, 1500);
  });
}
