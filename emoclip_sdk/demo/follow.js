// Boxes and playheads follow the player; a click on the timeline moves the player.
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

  const draw = (player, chart, time) => {
    const captions = chart ? data(chart, "captions") : {};
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
      tag.textContent = `${face.track}  ${now ? now[2] : ""}`.trim();
      frame.classList.toggle("low", y0 < 12);
      frame.classList.toggle("right", x0 > 55);
      frame.append(tag);
      layer.append(frame);
    }
    if (!chart) return;
    const left = `${Math.min(100, (100 * time) / chart.dataset.end)}%`;
    for (const head of chart.querySelectorAll(".emo-playhead")) head.style.left = left;
  };

  let drawn = [];
  const step = () => {
    requestAnimationFrame(step);
    const player = document.querySelector(".emo-player");
    if (!player) return;
    const chart = document.querySelector(".emo-chart");
    const time = player.querySelector("video").currentTime;
    // Gradio changes elements in place, and takes away what it did not put there.
    const now = [player.dataset.mark, chart?.dataset.mark, chart?.querySelector(".emo-playhead")?.style.left, time];
    if (now.every((value, i) => value === drawn[i])) return;
    draw(player, chart, time);
    now[2] = chart?.querySelector(".emo-playhead")?.style.left;
    drawn = now;
  };
  requestAnimationFrame(step);

  document.addEventListener("click", (event) => {
    const plot = event.target.closest(".emo-plot"), video = document.querySelector(".emo-player video");
    if (!plot || !video) return;
    const place = plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - place.left) / place.width, 0), 1);
    video.currentTime = share * plot.closest(".emo-chart").dataset.end;
  });
})();
