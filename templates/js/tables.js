/* Tables: a heading sorts its column, and a long table can be searched. Rows are only moved or
   hidden, so the page without this script shows the same. */
{
  const words = JSON.parse(document.getElementById("words").textContent);
  const SORTABLE = 3, SEARCHABLE = 8;   /* rows from which on it is worth the room */

  /* The number that a cell begins with, as the page's language writes it; NaN where it has none. */
  const number = (text) => {
    const plain = text.replace(/[\u00a0\u202f]/g, "").replace("\u2212", "-");
    const found = plain.match(words.decimal === "," ? /[+-]?\d+(,\d+)?/ : /[+-]?[\d,]+(\.\d+)?/);
    if (!found) return NaN;
    return Number(words.decimal === "," ? found[0].replace(",", ".") : found[0].replaceAll(",", ""));
  };

  const compare = (column) => {
    const language = new Intl.Collator(document.documentElement.lang, { numeric: true });
    return (one, other) => {
      const texts = [one, other].map((row) => row.cells[column].textContent.trim());
      const numbers = texts.map(number);
      if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
      return language.compare(...texts);
    };
  };

  const sortable = (table, rows) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = words.sort;
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sorted = [...rows].sort(compare(column));
        table.tBodies[0].append(...(down ? sorted.reverse() : sorted));
      });
    });
  };

  const searchable = (table, rows) => {
    const label = document.createElement("label"), field = document.createElement("input");
    const count = document.createElement("output");
    label.className = "filter";
    field.type = "search";
    label.append(`${words.filter} `, field, " ", count);
    table.parentElement.before(label);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = wanted ? words.shown.replace("{n}", shown).replace("{all}", rows.length) : "";
    });
  };

  for (const table of document.querySelectorAll(".table > table:not(.fixed)")) {
    const rows = [...table.tBodies[0].rows];
    if (table.tHead && rows.length >= SORTABLE) sortable(table, rows);
    if (rows.length >= SEARCHABLE) searchable(table, rows);
  }
}
