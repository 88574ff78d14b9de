/* Tables whose order is not part of what they say: a heading sorts its column, and a long one can be
   searched. Rows are only moved or hidden, so the page without this script shows the same. */
{
  const words = JSON.parse(document.getElementById("words").textContent);
  const SORTABLE = 3, SEARCHABLE = 12;   /* rows from which on it is worth the room */

  const language = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const NOTHING = /^[\u2014\s]*$/;

  /* The number that a cell begins with, behind a sign and a currency, as the page's language writes
     it; null where the cell begins with a word. */
  const number = (text) => {
    const plain = text.replaceAll(words.group, "").replace(/[\u00a0\u202f\s]/g, "");
    const found = plain.match(/^([^\d]{0,5}?)(\d+(?:[.,]\d+)?)/u);
    if (!found) return null;
    const size = Number(found[2].replace(words.decimal, "."));
    return /[\u2212-]/.test(found[1]) ? -size : size;
  };

  /* Rows by a column: by numbers where all cells are such, else by words; a dash comes last. */
  const sorted = (rows, column, down) => {
    const texts = new Map(rows.map((row) => [row, row.cells[column].textContent.trim()]));
    const told = rows.filter((row) => !NOTHING.test(texts.get(row)));
    const numbers = new Map(told.map((row) => [row, number(texts.get(row))]));
    const counted = told.every((row) => row.cells[column].tagName === "TD" && numbers.get(row) !== null);
    told.sort(counted ? (one, other) => numbers.get(one) - numbers.get(other)
                      : (one, other) => language.compare(texts.get(one), texts.get(other)));
    return [...(down ? told.reverse() : told), ...rows.filter((row) => NOTHING.test(texts.get(row)))];
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
        table.tBodies[0].append(...sorted(rows, column, down));
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

  for (const table of document.querySelectorAll("table.sortable")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length >= SORTABLE) sortable(table, rows);
    if (rows.length >= SEARCHABLE) searchable(table, rows);
  }
}
