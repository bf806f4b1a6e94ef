/* images.js - plots on canvas: spike raster, heat maps, weight matrix, receptive fields. */
/* SPDX-License-Identifier: MIT */
import { el, num } from './dom.js';
import { heatColour, keepDrawn, theme, ticks } from './figure.js';

/* A canvas as wide as the figure; draw(ctx, width, height, theme) in CSS pixels. read(x, y) tells what lies there. */
function canvasPlot(fig, { height, label, draw, read }) {
	const canvas = el('canvas', { role: 'img', 'aria-label': label });
	const readout = el('p', { class: 'readout', 'aria-hidden': 'true' }, '\u00a0');
	fig.body.append(canvas, read ? readout : '');
	const again = keepDrawn(fig.body, (width) => {
		const ratio = window.devicePixelRatio || 1;
		const h = typeof height === 'function' ? height(width) : height;
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(h * ratio);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${h}px`;
		const ctx = canvas.getContext('2d');
		ctx.scale(ratio, ratio);
		draw(ctx, width, h, theme());
	});
	if (read)
		canvas.addEventListener('pointermove', (event) => {
			const box = canvas.getBoundingClientRect();
			readout.textContent = read(event.clientX - box.left, event.clientY - box.top) || '\u00a0';
		});
	return again;
}

/* Frame, ticks and labels around `box`; text(v) of an axis writes its ticks. Returns the two scales. */
function axes(ctx, t, box, { x, y }) {
	const sx = (v) => box.left + ((v - x.min) / ((x.max - x.min) || 1)) * box.width;
	const sy = (v) => box.top + box.height - ((v - y.min) / ((y.max - y.min) || 1)) * box.height;
	ctx.font = t.font;
	ctx.fillStyle = t.muted;
	ctx.strokeStyle = t.line;
	ctx.lineWidth = 1;
	ctx.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
	ctx.textBaseline = 'top';
	ctx.textAlign = 'center';
	for (const v of x.ticks ?? ticks(x.min, x.max, box.width / 90))
		ctx.fillText(x.text?.(v) ?? num(v, 5), sx(v), box.top + box.height + 6);
	ctx.fillText(x.label, box.left + box.width / 2, box.top + box.height + 24);
	ctx.textAlign = 'right';
	ctx.textBaseline = 'middle';
	for (const v of y.ticks ?? ticks(y.min, y.max, box.height / 45))
		ctx.fillText(y.text?.(v) ?? num(v, 5), box.left - 7, sy(v));
	ctx.save();
	ctx.translate(11, box.top + box.height / 2);
	ctx.rotate(-Math.PI / 2);
	ctx.textAlign = 'center';
	ctx.fillText(y.label, 0, 0);
	ctx.restore();
	return { sx, sy };
}

const inner = (width, height, right = 24) => ({
	left: 62, top: 10, width: Math.max(40, width - 62 - right), height: height - 10 - 42,
});

/* groups: [{name, size, t_ms, neuron}]; populations one above the other, each with its own height. Returns
 * show(t0, t1), which draws what the groups hold by then. */
export function raster(fig, groups, t0, t1) {
	const gap = 10;
	const wanted = groups.map((g) => Math.min(220, 24 + 12 * Math.sqrt(g.size)));
	const sum = wanted.reduce((a, b) => a + b, 0), heights = wanted.map((h) => h * Math.min(1, 620 / sum));
	let boxes = [];
	const again = canvasPlot(fig, {
		height: 52 + gap * (groups.length - 1) + heights.reduce((a, b) => a + b, 0),
		label: `Spike raster of ${groups.map((g) => `${g.name}, ${g.t_ms.length} spikes`).join('; ')}`,
		draw(ctx, width, height, t) {
			const frame = inner(width, height);
			let top = frame.top;
			boxes = heights.map((h) => {
				const box = { left: frame.left, width: frame.width, top, height: h };
				top += h + gap;
				return box;
			});
			groups.forEach((g, i) => rasterGroup(ctx, t, boxes[i], g, i, t0, t1,
				i === groups.length - 1));
		},
		read(px, py) {
			const i = boxes.findIndex((b) => py >= b.top && py <= b.top + b.height);
			if (i < 0)
				return '';
			const b = boxes[i], ms = t0 + ((px - b.left) / b.width) * (t1 - t0);
			const id = Math.floor((1 - (py - b.top) / b.height) * groups[i].size);
			return ms < t0 || ms > t1 ? '' : `${groups[i].name} ${id} at ${num(ms)} ms`;
		},
	});
	return (from, to) => {
		[t0, t1] = [from, to];
		again();
	};
}

function rasterGroup(ctx, t, box, g, index, t0, t1, last) {
	const dot = Math.min(Math.max(box.height / g.size, 1.2), g.size === 1 ? box.height * 0.7 : 5);
	const { sx, sy } = axes(ctx, t, box, {
		x: { min: t0, max: t1, ticks: last ? undefined : [], label: last ? 'time (ms)' : '' },
		y: { min: 0, max: g.size, label: box.height > 60 ? g.name : '',
			ticks: g.size === 1 ? [] : box.height < 60 ? [0, g.size] : undefined },
	});
	if (box.height <= 60) {
		ctx.textAlign = 'right';
		ctx.fillText(g.name, box.left - 7, box.top + box.height / 2);
	}
	ctx.fillStyle = t.series[index % t.series.length];
	ctx.globalAlpha = g.t_ms.length > 8000 ? 0.55 : 0.9;
	for (let k = 0; k < g.t_ms.length; k += 1)
		ctx.fillRect(sx(g.t_ms[k]) - 0.6, sy(g.neuron[k] + 0.5) - dot / 2, 1.4, dot);
	ctx.globalAlpha = 1;
}

/* Values as pixels: at(row, col) with row 0 below; NaN stays empty. */
function pixels(cols, rows, at, min, max, stops) {
	const canvas = el('canvas', { width: cols, height: rows });
	const ctx = canvas.getContext('2d'), image = ctx.createImageData(cols, rows);
	const scale = max > min ? 1 / (max - min) : 0;
	for (let r = 0; r < rows; r += 1)
		for (let c = 0; c < cols; c += 1) {
			const v = at(r, c), k = 4 * ((rows - 1 - r) * cols + c);
			if (!Number.isFinite(v))
				continue;
			const [red, green, blue] = heatColour(stops, (v - min) * scale);
			image.data.set([red, green, blue, 255], k);
		}
	ctx.putImageData(image, 0, 0);
	return canvas;
}

function colourBar(ctx, t, x, top, height, min, max, label) {
	for (let i = 0; i < height; i += 1) {
		ctx.fillStyle = `rgb(${heatColour(t.heat, 1 - i / height).join(' ')})`;
		ctx.fillRect(x, top + i, 12, 1.5);
	}
	ctx.strokeStyle = t.line;
	ctx.strokeRect(x + 0.5, top + 0.5, 11, height - 1);
	ctx.fillStyle = t.muted;
	ctx.font = t.font;
	ctx.textAlign = 'left';
	ctx.textBaseline = 'top';
	ctx.fillText(num(max, 3), x + 16, top);
	ctx.textBaseline = 'bottom';
	ctx.fillText(num(min, 3), x + 16, top + height);
	ctx.save();
	ctx.translate(x + 24, top + height / 2);
	ctx.rotate(-Math.PI / 2);
	ctx.textAlign = 'center';
	ctx.textBaseline = 'middle';
	ctx.fillText(label, 0, 0);
	ctx.restore();
}

/* A heat map: at(row, col), x and y as {min, max, label}. */
export function heatMap(fig, { cols, rows, at, min, max, x, y, z, height = 280, label, read }) {
	let box = null;
	const show = (v) => (z.power ? v ** z.power : v);
	canvasPlot(fig, {
		height, label,
		draw(ctx, width, h, t) {
			box = inner(width, h, 64);
			const image = pixels(cols, rows, (r, c) => show(at(r, c)), show(min), show(max), t.heat);
			ctx.imageSmoothingEnabled = cols > box.width || rows > box.height;
			ctx.drawImage(image, box.left, box.top, box.width, box.height);
			axes(ctx, t, box, { x, y });
			colourBar(ctx, t, box.left + box.width + 10, box.top, box.height, min, max, z.label);
		},
		read(px, py) {
			if (!box)
				return '';
			const c = Math.floor(((px - box.left) / box.width) * cols);
			const r = Math.floor((1 - (py - box.top) / box.height) * rows);
			return c < 0 || r < 0 || c >= cols || r >= rows ? '' : read(r, c);
		},
	});
}

/* One square image per target; weight(target, source) row by row from the top. */
export function receptiveFields(fig, { side, targets, weight, min, max, name }) {
	const shown = Math.min(targets, 100);
	const across = (width) => Math.max(2, Math.min(shown, Math.floor(width / (shown > 20 ? 76 : 104))));
	const size = (width) => Math.floor((width - 8 * (across(width) - 1)) / across(width));
	canvasPlot(fig, {
		height: (width) => Math.ceil(shown / across(width)) * (size(width) + 22),
		label: `Receptive fields: the incoming weights of ${shown} neurons of ${name} as images of ${side} by ${side}`,
		draw(ctx, width, h, t) {
			const s = size(width), n = across(width);
			ctx.font = t.font;
			ctx.textAlign = 'center';
			ctx.textBaseline = 'top';
			ctx.imageSmoothingEnabled = false;
			for (let k = 0; k < shown; k += 1) {
				const left = (k % n) * (s + 8), top = Math.floor(k / n) * (s + 22);
				const image = pixels(side, side, (r, c) => weight(k, (side - 1 - r) * side + c),
					min, max, t.heat);
				ctx.drawImage(image, left, top, s, s);
				ctx.strokeStyle = t.line;
				ctx.strokeRect(left + 0.5, top + 0.5, s - 1, s - 1);
				ctx.fillStyle = t.muted;
				ctx.fillText(String(k), left + s / 2, top + s + 4);
			}
		},
	});
	return shown;
}
