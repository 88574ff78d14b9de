/* Charts: the mark nearest to the pointer says its value; with the keyboard, the arrow keys walk
   the marks of the chart that has the focus. Without this script, a chart is a picture with its
   text alternative, and its figures stand in it and in its table. */
{
  const words = JSON.parse(document.getElementById("words").textContent);
  const SVG = "http://www.w3.org/2000/svg";

  /* A place of the drawing in pixels of the page, and back. */
  const onPage = (svg, x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const inDrawing = (svg, event) =>
    new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

  const nearest = (values, point) => values.reduce((best, [x, y], i) => {
    const distance = Math.hypot(x - point.x, y - point.y);
    return distance < best.distance ? { i, distance } : best;
  }, { i: -1, distance: Infinity }).i;

  for (const picture of document.querySelectorAll(".picture[data-values]")) {
    const values = JSON.parse(picture.dataset.values);
    const svg = picture.querySelector("svg");
    if (!values.length) continue;

    const mark = document.createElementNS(SVG, "circle");
    mark.setAttribute("class", "pointed");
    mark.setAttribute("r", 6);
    mark.setAttribute("visibility", "hidden");
    svg.append(mark);

    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("role", "status");
    picture.after(said);

    let place = -1;
    const show = (i) => {
      const [x, y, text] = values[i];
      place = i;
      mark.setAttribute("cx", x);
      mark.setAttribute("cy", y);
      mark.setAttribute("visibility", "visible");
      said.textContent = text;
    };
    const hide = () => {
      place = -1;
      mark.setAttribute("visibility", "hidden");
      said.textContent = "";
    };
    const reveal = () => {
      const at = onPage(svg, values[place][0], values[place][1]), box = picture.getBoundingClientRect();
      if (at.x < box.left || at.x > box.right) picture.scrollLeft += at.x - (box.left + box.right) / 2;
    };

    picture.addEventListener("pointermove", (event) => show(nearest(values, inDrawing(svg, event))));
    picture.addEventListener("pointerleave", hide);
    picture.addEventListener("blur", hide);
    picture.addEventListener("focus", () => { said.textContent = words.values; });
    picture.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const end = { Home: 0, End: values.length - 1 }[event.key];
      if (event.key === "Escape") return hide();
      if (step === undefined && end === undefined) return;
      event.preventDefault();
      show(end ?? Math.min(Math.max(place + step, 0), values.length - 1));
      reveal();
    });
  }
}
