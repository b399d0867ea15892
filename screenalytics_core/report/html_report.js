"use strict";
// Every word stands in the page without this. It adds the card of a stretch, the order and the
// filter of people, the zoom of the timeline, and copying of hashes.
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const element = (name, text, className) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  document.documentElement.classList.add("js");

  // ---- the card of a stretch
  const card = one("#card");
  const told = new Map();
  let shown = null;
  let isPinned = false;
  let leaving = 0;

  function readStretches() {
    for (const lane of all(".lane")) {
      all(".seg", lane).forEach((stretch, place) => {
        // Taken out, or the browser would show it beside the card.
        const title = one("title", stretch);
        told.set(stretch, title.textContent.split("\n"));
        title.remove();
        stretch.setAttribute("role", "img");
        stretch.setAttribute("aria-label", told.get(stretch).join(", "));
        stretch.setAttribute("tabindex", place ? -1 : 0);
      });
    }
  }

  function fill(stretch) {
    const [name, ...lines] = told.get(stretch);
    one("bdi", card).textContent = name;
    const facts = lines.flatMap((line) => {
      const cut = line.indexOf(" ");
      return [element("dt", line.slice(0, cut)), element("dd", line.slice(cut + 1))];
    });
    one("dl", card).replaceChildren(...facts);
    const picture = stretch.dataset.p;
    one(".face", card).style.display = picture ? "" : "none";
    one("use", card).setAttribute("href", picture ? `#${picture}` : "");
  }

  function place(stretch, pointerX) {
    const at = stretch.getBoundingClientRect();
    const frame = one(".scroll").getBoundingClientRect();
    const left = Math.max(at.left, frame.left);
    const right = Math.min(at.right, frame.right);
    const middle = pointerX ?? (left + right) / 2;
    const x = Math.min(innerWidth - card.offsetWidth - 8, middle - card.offsetWidth / 2);
    const isBelow = at.bottom + card.offsetHeight + 14 < innerHeight;
    const y = isBelow ? at.bottom + 8 : Math.max(8, at.top - card.offsetHeight - 8);
    card.style.left = `${Math.max(8, x)}px`;
    card.style.top = `${y}px`;
  }

  function show(stretch, pointerX) {
    clearTimeout(leaving);
    if (shown !== stretch) {
      shown?.classList.remove("shown");
      shown = stretch;
      stretch.classList.add("shown");
      fill(stretch);
      card.hidden = false;
      place(stretch, pointerX);
    }
  }

  function hide() {
    clearTimeout(leaving);
    shown?.classList.remove("shown");
    shown = null;
    isPinned = false;
    card.hidden = true;
  }

  // The pointer may cross to the card, to read or mark what stands there.
  function leave() {
    clearTimeout(leaving);
    if (!isPinned) leaving = setTimeout(hide, 150);
  }

  function nextTo(stretch, key) {
    const lane = stretch.closest(".lane");
    const stretches = all(".seg", lane);
    const place = stretches.indexOf(stretch);
    const steps = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: stretches.length - 1 };
    if (key in steps) return stretches[steps[key]];
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (!step) return undefined;
    const lanes = all(".lane").filter((l) => l.getClientRects().length && one(".seg", l));
    const other = lanes[lanes.indexOf(lane) + step];
    if (!other) return undefined;
    const middle = (s) => Number.parseFloat(s.getAttribute("x")) +
      Number.parseFloat(s.getAttribute("width")) / 2;
    const gap = (s) => Math.abs(middle(s) - middle(stretch));
    return all(".seg", other).reduce((best, s) => (gap(s) < gap(best) ? s : best));
  }

  // Browsers do not scroll to a part of a drawing, and names cover its left edge.
  function uncover(stretch) {
    const scroll = one(".scroll");
    const at = stretch.getBoundingClientRect();
    const frame = scroll.getBoundingClientRect();
    const left = frame.left + one(".label").offsetWidth + 12;
    if (at.left < left) scroll.scrollLeft -= left - at.left;
    else if (at.right > frame.right - 12) scroll.scrollLeft += at.right - frame.right + 12;
    place(stretch);
  }

  function setUpCard() {
    const timeline = one("#timeline");
    readStretches();
    const stretchOf = (event) => event.target.closest?.(".seg");
    timeline.addEventListener("pointerover", (event) => {
      const stretch = stretchOf(event);
      if (stretch && !isPinned) show(stretch, event.clientX);
    });
    timeline.addEventListener("pointerout", (event) => stretchOf(event) && leave());
    timeline.addEventListener("focusin", (event) => {
      const stretch = stretchOf(event);
      if (stretch && stretch !== shown) {
        isPinned = false;
        show(stretch);
      }
    });
    timeline.addEventListener("focusout", (event) => stretchOf(event) && leave());
    timeline.addEventListener("keydown", (event) => {
      const stretch = stretchOf(event);
      if (!stretch) return;
      const next = nextTo(stretch, event.key);
      if (next) {
        event.preventDefault();
        stretch.setAttribute("tabindex", -1);
        next.setAttribute("tabindex", 0);
        next.focus();
        uncover(next);
      } else if (event.key === "Enter") {
        show(stretch);
        isPinned = true;
      }
    });
    card.addEventListener("pointerenter", () => clearTimeout(leaving));
    card.addEventListener("pointerleave", leave);
    document.addEventListener("click", (event) => {
      const stretch = stretchOf(event);
      if (stretch) {
        show(stretch, event.clientX);
        isPinned = true;
      } else if (!event.target.closest("#card")) hide();
    });
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
    addEventListener("scroll", () => shown && place(shown), { capture: true, passive: true });
  }

  // ---- zoom
  function setUpZoom() {
    const scroll = one(".scroll");
    const inner = one(".inner");
    const plot = one(".clock");
    const buttons = { out: one("#zoom-out"), in: one("#zoom-in"), whole: one("#zoom-whole") };
    // Half a minute fills the view at most.
    const most = Math.max(4, Number(scroll.dataset.seconds) / 30);
    let zoom = 1;

    function zoomTo(wish, clientX) {
      const before = plot.getBoundingClientRect();
      const frame = scroll.getBoundingClientRect();
      const nameWidth = before.left - frame.left + scroll.scrollLeft;
      const at = clientX ?? (frame.left + nameWidth + frame.right) / 2;
      const share = (at - before.left) / before.width;
      zoom = Math.min(most, Math.max(1, wish));
      inner.style.setProperty("--zoom", zoom);
      const after = plot.getBoundingClientRect();
      scroll.scrollLeft += after.left + share * after.width - at;
      one("#zoomed").textContent = `×${Number(zoom.toFixed(1))}`;
      buttons.out.disabled = buttons.whole.disabled = zoom <= 1;
      buttons.in.disabled = zoom >= most;
      hide();
    }

    buttons.out.addEventListener("click", () => zoomTo(zoom / 2));
    buttons.in.addEventListener("click", () => zoomTo(zoom * 2));
    buttons.whole.addEventListener("click", () => zoomTo(1));
    scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY / 300), event.clientX);
    }, { passive: false });
    scroll.addEventListener("keydown", (event) => {
      const factor = { "+": 2, "=": 2, "-": 0.5 }[event.key];
      if (!factor || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const focused = document.activeElement.closest(".seg")?.getBoundingClientRect();
      zoomTo(zoom * factor, focused && (focused.left + focused.right) / 2);
    });
    zoomTo(1);
  }

  // ---- people: their order and who is shown, in the table, the lanes and the sheets alike
  const partsOf = (who) => all(`[data-who="${who}"]`);

  function setUpOrder() {
    const table = one("table.people");
    const rows = all("tbody tr", table);
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    all("thead th", table).forEach((head, column) => {
      const button = element("button", head.textContent);
      button.type = "button";
      const value = (row) => row.children[column].dataset.v;
      const isName = column === 0;
      if (!isName && value(rows[0]) === undefined) return;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const wasDown = head.getAttribute("aria-sort") === "descending";
        const isUp = head.hasAttribute("aria-sort") ? wasDown : isName;
        all("th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        const nameOf = (row) => one(".name", row).textContent;
        const order = (a, b) => (isName ? compare(nameOf(a), nameOf(b)) : value(a) - value(b));
        const sorted = [...rows].sort((a, b) => (isUp ? order(a, b) : order(b, a)));
        for (const row of sorted) partsOf(row.dataset.who).forEach((p) => p.parentNode.append(p));
        hide();
      });
    });
  }

  function setUpFilter() {
    const input = one("#filter");
    const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const rows = all("table.people tbody tr");
    input.addEventListener("input", () => {
      const wanted = fold(input.value.trim());
      let count = 0;
      for (const row of rows) {
        const isThere = fold(one(".who", row).textContent).includes(wanted);
        count += isThere;
        for (const part of partsOf(row.dataset.who)) part.hidden = !isThere;
      }
      one("#filtered").textContent = wanted ? `${count} of ${rows.length}` : "";
      hide();
    });
  }

  // ---- hashes
  async function copy(hash, button) {
    try {
      await navigator.clipboard.writeText(hash.textContent);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(hash);
      button.textContent = "marked";
    }
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  }

  function setUpCopying() {
    for (const hash of all("code.hash")) {
      const button = element("button", "copy", "copy");
      button.type = "button";
      button.addEventListener("click", () => copy(hash, button));
      hash.after(button);
    }
  }

  if (one("#timeline")) {
    setUpCard();
    setUpZoom();
  }
  if (one("table.people")) setUpOrder();
  if (one("#filter")) setUpFilter();
  setUpCopying();
})();
