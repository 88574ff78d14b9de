/* What if: the expected profit of contacting the highest risk first, under other assumptions than
   the store's. The formula is the program's own:
   acceptance * (value - offer * fallen) - offer * (customers - fallen) - contact * customers. */
{
  const form = document.getElementById("what-if");
  const { points, write } = JSON.parse(document.getElementById("panel").textContent);
  const names = ["contact_cost", "offer_cost", "acceptance", "share"];
  const inputs = names.map((name) => form.elements[name]);

  /* As the program rounds: halves away from zero, of the number that is written; what is left of
     a sum that should be nothing is nothing. */
  const rounded = (x, decimals = 0) => {
    const size = Math.abs(x) < 1e-6 ? 0 : Math.abs(x);
    return Math.sign(x) * Math.round(Number(`${size}e${decimals}`)) / 10 ** decimals;
  };
  const grouped = (x, decimals = 0) => {
    const [whole, part] = Math.abs(rounded(x, decimals)).toFixed(decimals).split(".");
    return whole.replace(/\B(?=(\d{3})+$)/g, write.group) + (part ? write.decimal + part : "");
  };
  const few = (x) => [0, 1, 2].find((decimals) => rounded(x, decimals) === rounded(x, 4)) ?? 2;
  const money = (x, decimals = 0) =>
    (rounded(x, decimals) < 0 ? write.below_zero : write.money).replace("{n}", grouped(x, decimals));
  const percent = (x) => write.percent.replace("{n}", grouped(100 * x, few(100 * x)));

  const gained = ([, customers, fallen, value], contact, offer, acceptance) =>
    acceptance * (value - offer * fallen) - offer * (customers - fallen) - contact * customers;

  /* The curve under the slider's assumptions, in a drawing of 100 by 40. */
  const draw = (profits, place) => {
    const low = Math.min(0, ...profits), high = Math.max(0, ...profits), height = high - low || 1;
    const at = (i) => [100 * i / (profits.length - 1), 40 - 40 * (profits[i] - low) / height];
    form.querySelector(".curve").setAttribute("points", profits.map((_, i) => at(i).join()).join(" "));
    const [x, y] = at(place), zero = 40 - 40 * (0 - low) / height;
    for (const [name, value] of [["cx", x], ["cy", y]]) form.querySelector(".here").setAttribute(name, value);
    for (const name of ["y1", "y2"]) form.querySelector(".zero").setAttribute(name, zero);
  };

  const update = () => {
    const [contact, offer, acceptance, share] = inputs.map((input) => Number(input.value));
    const place = points.reduce((best, [s], i) =>
      Math.abs(s - share) < Math.abs(points[best][0] - share) ? i : best, 0);
    const point = points[place], customers = point[1];
    const profit = gained(point, contact, offer, acceptance);
    const told = [money(contact, few(contact)), money(offer, few(offer)), percent(acceptance), percent(point[0])];
    inputs.forEach((input, i) => {
      form.elements[`${names[i]}_told`].textContent = told[i];
      input.setAttribute("aria-valuetext", told[i]);
    });
    form.elements.profit.textContent = money(profit);
    form.elements.customers.textContent = grouped(customers);
    form.elements.break_even.textContent = customers > 0 ? money(profit / customers + contact) : "\u2014";
    draw(points.map((one) => gained(one, contact, offer, acceptance)), place);
  };

  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(update));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update();
}
