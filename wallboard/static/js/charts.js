// Charts by uPlot. Each has a text beside it that says the same; the canvas itself is not for screen readers.

import { hour, percent } from "./format.js";

const HALF_HOURS = 48;

// Pairs of quarter-hours; a half-hour that still runs is left out, as it would look like a fall.
export function halves(values) {
  const whole = Math.floor(values.length / 2);
  return Array.from({ length: whole }, (_, index) => values[2 * index] + values[2 * index + 1]);
}

function padded(values) {
  return [...values, ...Array(Math.max(HALF_HOURS - values.length, 0)).fill(null)];
}

// The part of the day in which anything happens, today or usually.
export function opening(...series) {
  let first = HALF_HOURS;
  let last = 0;
  for (const values of series) {
    values.forEach((value, index) => {
      if (value > 0) {
        first = Math.min(first, index);
        last = Math.max(last, index);
      }
    });
  }
  return first > last ? [16, 36] : [Math.max(first - 0.5, 0), Math.min(last + 1, HALF_HOURS - 1)];
}

const style = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

function axis(element, more) {
  const size = rem();
  return {
    stroke: style(element, "--soft"),
    grid: { stroke: style(element, "--line"), width: 1 },
    ticks: { show: false },
    font: `500 ${Math.round(size * 0.92)}px Inter, sans-serif`,
    ...more,
  };
}

function base(element, series, extra) {
  const side = extra.axes[0].show === false ? 2 : Math.round(rem() * 1.2);
  return {
    width: Math.max(element.clientWidth, 10),
    height: Math.max(element.clientHeight, 10),
    padding: [4, side, 2, 2],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false },
    series: [{}, ...series],
    ...extra,
  };
}

// Today's line before the usual course. `bare` is for a tile: no axes.
export function course(element, today, usual, bare) {
  const width = Math.max(rem() / 16, 0.8);
  const range = opening(today, usual);
  const most = Math.max(...today, ...usual, 1);
  const series = [
    { stroke: style(element, "--usual"), width: 1.5 * width, fill: `color-mix(in srgb, ${style(element, "--usual")} 28%, transparent)`, points: { show: false } },
    { stroke: style(element, "--accent"), width: 3.5 * width, points: { show: false } },
  ];
  const axes = bare
    ? [{ show: false }, { show: false }]
    : [
        axis(element, { values: (_, places) => places.map(hour), incrs: [2, 4, 6, 8], space: rem() * 3.6, size: rem() * 1.9 }),
        axis(element, { size: rem() * 2.9, space: rem() * 3, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }),
      ];
  const scales = { x: { time: false, range: () => range }, y: { range: () => [0, most * 1.12] } };
  const x = Array.from({ length: HALF_HOURS }, (_, index) => index);
  return draw(element, base(element, series, { axes, scales }), [x, padded(usual), padded(today)]);
}

// Service level by half-hour as bars, and its target as a line.
export function level(element, values, target) {
  const colour = style(element, "--accent");
  const range = opening(values.map((value) => (value === null ? 0 : 1)));
  const low = style(element, "--watch-fill");
  const bars = uPlot.paths.bars({
    size: [0.62, 60],
    disp: { fill: { unit: 3, values: (plot) => plot.data[1].map((value) => (target !== undefined && value !== null && value < target ? low : colour)) } },
  });
  const series = [
    { paths: bars, fill: colour, stroke: "transparent", width: 0, points: { show: false } },
    { stroke: style(element, "--ink"), width: 2, dash: [6, 5], points: { show: false } },
  ];
  const axes = [
    axis(element, { values: (_, places) => places.map(hour), incrs: [2, 4, 6, 8], space: rem() * 3.6, size: rem() * 1.9 }),
    axis(element, { values: (_, places) => places.map((place) => percent(place)), incrs: [0.25, 0.5], size: rem() * 3.4, space: 20 }),
  ];
  const scales = { x: { time: false, range: () => [range[0] - 0.3, range[1] + 0.3] }, y: { range: () => [0, 1.02] } };
  const x = Array.from({ length: HALF_HOURS }, (_, index) => index);
  const line = target === undefined ? Array(HALF_HOURS).fill(null) : Array(HALF_HOURS).fill(target);
  return draw(element, base(element, series, { axes, scales }), [x, padded(values), line]);
}

function draw(element, options, data) {
  const key = JSON.stringify([data, options.width, options.height, options.series[2]?.stroke, options.series[1]?.fill]);
  if (element.drawn === key) return;
  element.drawn = key;
  element.plot?.destroy();
  element.plot = new uPlot(options, data, element);
}
