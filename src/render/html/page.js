"use strict";
// Sorting, filtering and the theme. Their state stands in the address, so that a view can be sent to a colleague:
//   #sort=domains:5:desc&filter=domains:isp&theme=dark        table:column, counted from 0; table:text
// Only text is ever set, never markup. Without this script the page is whole, and in the order of the report.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tables = new Map();
  let theme = "";

  class Rows {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.rows = [...this.body.rows];
      this.heads = [...table.tHead.rows[0].cells];
      this.sorted = null;
      this.heads.forEach((head, column) => this.addButton(head, column));
      this.input = this.rows.length > 3 ? this.addFilter() : null;
    }

    addButton(head, column) {
      if (head.classList.contains("plain")) return;
      const button = document.createElement("button");
      button.type = "button";
      head.dataset.title = head.textContent;
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const again = this.sorted !== null && this.sorted.column === column;
        this.sort(column, again ? !this.sorted.descending : head.classList.contains("n"));
        write();
      });
    }

    addFilter() {
      const bar = document.createElement("div");
      const input = document.createElement("input");
      this.shown = document.createElement("span");
      bar.className = "filter";
      input.type = "search";
      input.placeholder = "Filter " + this.rows.length + " rows";
      input.setAttribute("aria-label", "Filter rows");
      input.setAttribute("aria-controls", this.table.id);
      this.shown.setAttribute("role", "status");
      input.addEventListener("input", () => {
        this.filter(input.value);
        write();
      });
      bar.append(input, this.shown);
      this.table.parentElement.before(bar);
      return input;
    }

    sort(column, descending) {
      const number = this.heads[column].classList.contains("n");
      const value = (row) => {
        const cell = row.cells[column];
        if (!number) return cell.textContent.trim();
        return cell.dataset.v === undefined ? -Infinity : Number(cell.dataset.v);
      };
      const order = number ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
      const keyed = this.rows.map((row) => [value(row), row]);
      keyed.sort((a, b) => (descending ? order(b[0], a[0]) : order(a[0], b[0])));
      this.body.append(...keyed.map((pair) => pair[1]));
      this.heads.forEach((head, at) => {
        if (at === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      this.sorted = { column, descending };
    }

    unsort() {
      this.body.append(...this.rows);
      this.heads.forEach((head) => head.removeAttribute("aria-sort"));
      this.sorted = null;
    }

    filter(text) {
      if (this.input === null) return;
      if (this.input.value !== text) this.input.value = text;
      const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
      let shown = 0;
      for (const row of this.rows) {
        const content = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => content.includes(word));
        if (!row.hidden) shown += 1;
      }
      this.shown.textContent = words.length === 0 ? "" : shown + " of " + this.rows.length;
    }
  }

  function show() {
    if (theme === "") delete root.dataset.theme;
    else root.dataset.theme = theme;
    document.getElementById("theme").textContent = isDark() ? "Light" : "Dark";
  }

  function isDark() {
    return theme === "" ? dark.matches : theme === "dark";
  }

  // The address as it is: a plain #section changes nothing.
  function read() {
    const hash = location.hash.slice(1);
    if (hash !== "" && !hash.includes("=")) return;
    const state = new URLSearchParams(hash);
    theme = ["dark", "light"].find((known) => known === state.get("theme")) ?? "";
    show();
    const sorts = new Map(state.getAll("sort").map((sort) => [sort.split(":")[0], sort.split(":")]));
    const filters = new Map(state.getAll("filter").map((filter) => [filter.split(":")[0], filter.slice(filter.indexOf(":") + 1)]));
    for (const [name, rows] of tables) {
      const sort = sorts.get(name);
      const head = sort === undefined ? undefined : rows.heads[Number(sort[1])];
      if (head === undefined || head.classList.contains("plain")) {
        if (rows.sorted !== null) rows.unsort();
      } else {
        rows.sort(Number(sort[1]), sort[2] === undefined ? head.classList.contains("n") : sort[2] === "desc");
      }
      rows.filter(filters.get(name) ?? "");
    }
    const first = [...sorts.keys(), ...filters.keys()].find((name) => tables.has(name));
    if (first !== undefined) tables.get(first).table.closest("section").scrollIntoView();
  }

  function write() {
    const state = new URLSearchParams();
    for (const [name, rows] of tables) {
      if (rows.sorted !== null) state.append("sort", name + ":" + rows.sorted.column + ":" + (rows.sorted.descending ? "desc" : "asc"));
      if (rows.input !== null && rows.input.value !== "") state.append("filter", name + ":" + rows.input.value);
    }
    if (theme !== "") state.append("theme", theme);
    history.replaceState(null, "", "#" + state);
  }

  for (const table of document.querySelectorAll("table[data-name]")) tables.set(table.dataset.name, new Rows(table));

  const places = document.querySelector("nav");
  for (const section of document.querySelectorAll("main > section")) {
    const link = document.createElement("a");
    link.href = "#" + section.id;
    link.textContent = section.querySelector("h2").textContent;
    places.append(link, " ");
  }

  const toggle = document.getElementById("theme");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    theme = next === (dark.matches ? "dark" : "light") ? "" : next;
    show();
    write();
  });
  dark.addEventListener("change", show);

  // On paper nothing can be opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));

  addEventListener("hashchange", read);
  read();
  show();
})();
