// Boxes and playheads follow the player; a click on a chart moves the player.
(() => {
  const parsed = new WeakMap();
  const data = (element, name) => {
    const known = parsed.get(element), { mark } = element.dataset;
    if (known?.mark === mark) return known.value;
    const value = JSON.parse(element.dataset[name]);
    parsed.set(element, { mark, value });
    return value;
  };
  // The last of `times` that is not after `time`.
  const before = (times, time) => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const boxAt = (face, time) => {
    const i = before(face.times, time);
    if (i < 0) return null;
    const since = time - face.times[i], box = face.boxes[i];
    const gap = face.times[i + 1] - face.times[i];
    if (gap <= 1.5 * face.spacing) {
      return box.map((v, k) => v + (since / gap) * (face.boxes[i + 1][k] - v));
    }
    return since < 1.5 * face.spacing ? box : null;
  };

  const drawBoxes = (player, captions, time) => {
    const layer = player.querySelector(".emo-boxes");
    layer.replaceChildren();
    for (const face of data(player, "faces")) {
      const box = boxAt(face, time);
      if (!box) continue;
      const now = (captions[face.track] || []).find(([start, end]) => time >= start && time < end);
      const frame = document.createElement("div"), tag = document.createElement("span");
      const [x0, y0, x1, y1] = box.map((v) => 100 * Math.min(Math.max(v, 0), 1));
      frame.style.cssText =
        `left:${x0}%;top:${y0}%;width:${x1 - x0}%;height:${y1 - y0}%;` +
        `--color:${now ? now[3] : "var(--emo-other)"}`;
      tag.textContent = now ? `${face.name}: ${now[2]}` : face.name;
      frame.classList.toggle("low", y0 < 12);
      frame.classList.toggle("right", x0 > 55);
      frame.append(tag);
      layer.append(frame);
    }
  };
  const begin = (element) => Number(element.dataset.begin);
  const moveHeads = (chart, time) => {
    const share = (time - begin(chart)) / (chart.dataset.end - begin(chart));
    const left = `${Math.min(100, Math.max(0, 100 * share))}%`;
    for (const head of chart.querySelectorAll(".emo-playhead")) head.style.left = left;
  };
  // Gradio changes elements in place, and takes away what it did not put there.
  const marks = (charts) =>
    charts.map((chart) => `${chart.dataset.mark} ${chart.querySelector(".emo-playhead")?.style.left}`);

  let drawn = "";
  const step = () => {
    requestAnimationFrame(step);
    const player = document.querySelector(".emo-player");
    if (!player) return;
    const charts = [...document.querySelectorAll(".emo-chart")];
    // The copy that plays begins at 0, whatever part of the video it is.
    const time = player.querySelector("video").currentTime + begin(player);
    const state = () => [player.dataset.mark, time, ...marks(charts)].join();
    if (state() === drawn) return;
    const chart = charts.find((each) => each.dataset.captions);
    drawBoxes(player, chart ? data(chart, "captions") : {}, time);
    for (const each of charts) moveHeads(each, time);
    drawn = state();
  };
  requestAnimationFrame(step);

  document.addEventListener("click", (event) => {
    const plot = event.target.closest(".emo-plot"), player = document.querySelector(".emo-player");
    if (!plot || !player) return;
    const place = plot.getBoundingClientRect(), chart = plot.closest(".emo-chart");
    const share = Math.min(Math.max((event.clientX - place.left) / place.width, 0), 1);
    const time = begin(chart) + share * (chart.dataset.end - begin(chart));
    player.querySelector("video").currentTime = time - begin(player);
  });
})();
