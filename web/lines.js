/* lines.js - line plots over uPlot: traces, rates, and the STDP curve with its residual. */
/* SPDX-License-Identifier: MIT */
import { el, num, svg } from './dom.js';
import { keepDrawn, theme } from './figure.js';

const { uPlot } = window;

function axis(t, label, size) {
	return {
		label, stroke: t.muted, font: t.font, labelFont: t.font, labelSize: 22, size,
		grid: { stroke: t.line, width: 1 }, ticks: { stroke: t.line, width: 1 },
		values: (u, values) => values.map((v) => (v === null ? '' : num(v, 5))),
	};
}

/* series: [{label, colour?, points?, width?, dash?}]; data: [x, y1, y2, ...]; under, over (u, t): hooks behind and
 * before the lines. Returns show(data), which draws other data. */
export function lines(fig, { x, y, series, data, height = 260, legend, under, over, range, label, paths, short, logX }) {
	const showLegend = legend ?? (series.length > 1 && series.length <= 8);
	fig.body.setAttribute('role', 'group');
	fig.body.setAttribute('aria-label', label);
	let plot = null;
	keepDrawn(fig.body, (width) => {
		const t = theme();
		plot?.destroy();
		plot = new uPlot({
			width, height, legend: { show: showLegend },
			cursor: { drag: { x: true, y: false }, points: { size: 7 } },
			scales: { x: { time: false, distr: logX ? 3 : 1 }, y: range ? { range } : {} },
			axes: [axis(t, x, 34), axis(t, y, width < 420 ? 52 : 64)],
			series: [{ label: short ?? x }, ...series.map((s, i) => ({
				label: s.label, width: s.points ? 0 : (s.width ?? 1.5), dash: s.dash,
				stroke: s.colour?.(t) ?? t.series[i % t.series.length],
				paths: s.points ? () => null : paths, spanGaps: Boolean(s.span),
				points: s.points ? { show: true, size: s.points, width: 1.2,
					fill: t.panel } : { show: false },
				value: (u, v) => (v === null || v === undefined ? '–' : num(v, 5)),
			}))],
			hooks: { drawClear: under ? [(u) => under(u, t)] : [], draw: over ? [(u) => over(u, t)] : [] },
		}, data, fig.body);
		for (const canvas of fig.body.querySelectorAll('canvas')) {
			canvas.setAttribute('role', 'img');
			canvas.setAttribute('aria-label', label);
		}
	}, () => plot?.destroy());
	return (next) => {
		data = next;
		plot?.setData(data);
	};
}

/* Several traces on one x axis; each trace brings its own times. */
export function traces(fig, { list, x, y, label, points, height, step }) {
	const aligned = list.length === 1 ? [list[0].x, list[0].y]
		: uPlot.join(list.map((l) => [l.x, l.y]));
	const held = step ? aligned.map((column, i) => (i ? hold(column) : column)) : aligned;
	lines(fig, {
		x, y, label, height, data: held, paths: step ? uPlot.paths.stepped({ align: 1 }) : undefined,
		series: list.map((l) => ({ label: l.label, points, span: true, width: 1.3 })),
	});
}

/* Half a standard error up and down from each point that has one. */
function errorBars(list) {
	return (u, t) => {
		const { ctx } = u, ratio = window.devicePixelRatio || 1;
		ctx.save();
		ctx.lineWidth = ratio;
		list.forEach((c, k) => {
			if (!c.error)
				return;
			ctx.strokeStyle = t.series[k % t.series.length];
			ctx.beginPath();
			c.x.forEach((x, i) => {
				if (c.y[i] === null || c.error[i] === null)
					return;
				const at = u.valToPos(x, 'x', true);
				ctx.moveTo(at, u.valToPos(c.y[i] - c.error[i], 'y', true));
				ctx.lineTo(at, u.valToPos(c.y[i] + c.error[i], 'y', true));
			});
			ctx.stroke();
		});
		ctx.restore();
	};
}

/* Curves with an x each, as lines or points, with error bars: list of {label, points, x, y, error}. */
export function curves(fig, { list, x, y, label, logX }) {
	const data = list.length === 1 ? [list[0].x, list[0].y] : uPlot.join(list.map((c) => [c.x, c.y]));
	const reach = (sign) => list.flatMap((c) => c.y.map((v, i) => (v === null ? null : v + sign * (c.error?.[i] ?? 0)))
		.filter((v) => v !== null));
	const [low, high] = [Math.min(...reach(-1)), Math.max(...reach(1))], pad = (high - low || Math.abs(high) || 1) * 0.06;
	lines(fig, {
		x, y, label, logX, data, over: errorBars(list), range: () => [low - pad, high + pad],
		series: list.map((c) => ({ label: c.label, points: c.points ? 6 : 0, span: true })),
	});
}

/* A weight stays what it is until its next update. */
function hold(column) {
	let last = null;
	return Array.from(column, (v) => {
		if (v !== null && v !== undefined)
			last = v;
		return last;
	});
}

/* ---- the STDP curve ---- */

/* Two spike trains and the gap between them: what dt means. */
export function dtSketch() {
	const spike = (x, y, cls) => svg('path', { d: `M${x} ${y}v-22`, class: cls });
	const half = (x0, first, second, sign, caption) => svg('g', { transform: `translate(${x0} 0)` },
		svg('path', { d: 'M30 34h120M30 70h120', class: 'sketch-line' }),
		svg('text', { x: 24, y: 30, class: 'sketch-text end' }, 'pre'),
		svg('text', { x: 24, y: 66, class: 'sketch-text end' }, 'post'),
		spike(first, 34, 'sketch-pre'), spike(second, 70, 'sketch-post'),
		svg('path', { d: `M${first} 34v46M${second} 70v10M${first} 78H${second}`, class: 'sketch-gap' }),
		svg('text', { x: (first + second) / 2, y: 94, class: 'sketch-text middle' }, sign),
		svg('text', { x: 90, y: 112, class: 'sketch-text middle strong' }, caption));
	return svg('svg', { viewBox: '0 0 330 120', class: 'sketch', role: 'img',
		'aria-label': 'dt is negative when the postsynaptic spike comes first, positive when it comes second.' },
	half(0, 112, 68, 'dt < 0', 'post before pre'),
	half(170, 68, 112, 'dt > 0', 'pre before post'));
}

const side = (dt, dw, sign) => {
	const of = dw.filter((v, i) => Math.sign(dt[i]) === sign && v !== null);
	return of.reduce((a, b) => a + b, 0);
};

/* Tinted halves with what happens there, from the signs of the measured changes. */
function halves(dt, dw) {
	const name = (s) => (s > 0 ? 'LTP' : s < 0 ? 'LTD' : 'no change');
	const parts = [-1, 1].map((sign) => ({ sign, sum: side(dt, dw, sign) }));
	return (u, t) => {
		const { ctx } = u, { left, top, width, height } = u.bbox;
		const zero = Math.min(Math.max(u.valToPos(0, 'x', true), left), left + width);
		const ratio = window.devicePixelRatio || 1;
		ctx.save();
		for (const part of parts) {
			const x0 = part.sign < 0 ? left : zero, x1 = part.sign < 0 ? zero : left + width;
			ctx.fillStyle = part.sum > 0 ? t.ltp : part.sum < 0 ? t.ltd : t.muted;
			ctx.globalAlpha = 0.07;
			ctx.fillRect(x0, top, x1 - x0, height);
			ctx.globalAlpha = 1;
			if (x1 - x0 < 60 * ratio)
				continue;
			ctx.font = `600 ${13 * ratio}px ${t.font.slice(5)}`;
			ctx.textAlign = 'center';
			ctx.fillText(name(part.sum), (x0 + x1) / 2, top + 20 * ratio);
			ctx.font = `${11 * ratio}px ${t.font.slice(5)}`;
			ctx.fillStyle = t.muted;
			ctx.fillText(part.sign < 0 ? 'post before pre' : 'pre before post',
				(x0 + x1) / 2, top + 36 * ratio);
		}
		const y0 = u.valToPos(0, 'y', true);
		ctx.strokeStyle = t.muted;
		ctx.lineWidth = ratio;
		ctx.beginPath();
		ctx.moveTo(left, y0);
		ctx.lineTo(left + width, y0);
		ctx.moveTo(zero, top);
		ctx.lineTo(zero, top + height);
		ctx.stroke();
		ctx.restore();
	};
}

/* Largest |measured - theory|, absolute and over the largest |theory|. */
export function largestDifference(dw, theory) {
	let absolute = 0, scale = 0;
	for (let i = 0; i < dw.length; i += 1) {
		if (dw[i] === null || theory[i] === null)
			continue;
		absolute = Math.max(absolute, Math.abs(dw[i] - theory[i]));
		scale = Math.max(scale, Math.abs(theory[i]));
	}
	return { absolute, relative: scale > 0 ? absolute / scale : absolute };
}

export function stdpCurve(fig, dt, dw, theory) {
	const order = dt.map((_, i) => i).sort((a, b) => dt[a] - dt[b]);
	const pick = (column) => order.map((i) => column[i]);
	const [x, measured, formula] = [dt, dw, theory].map(pick);
	const gap = formula.map((v, i) => (x[i] === 0 ? null : v));
	const top = Math.max(...measured.map(Math.abs), ...formula.map(Math.abs)) || 1;
	lines(fig, {
		x: 'dt = t_post − t_pre at the synapse (ms)', y: 'weight change dw', height: 340,
		short: 'dt', label: 'Weight change over spike time difference: measured points on the theoretical curve',
		data: [x, gap, measured], under: halves(x, measured), legend: true,
		range: (u, min, max) => [Math.min(min, -0.1 * top) * 1.12, Math.max(max, 0.1 * top) * 1.35],
		series: [
			{ label: 'theory', colour: (t) => t.ink, width: 1.5 },
			{ label: 'measured', colour: (t) => t.accent, points: x.length > 160 ? 4 : 6 },
		],
	});
}

export function residual(fig, dt, dw, theory) {
	const order = dt.map((_, i) => i).sort((a, b) => dt[a] - dt[b]);
	const most = Math.max(...order.map((i) => Math.abs(dw[i] - theory[i])));
	const power = most > 0 ? Math.floor(Math.log10(most)) : 0, unit = 10 ** power;
	const sup = [...String(power)].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c])).join('');
	lines(fig, {
		x: 'dt (ms)', y: power ? `difference (10${sup})` : 'difference', height: 190, legend: false,
		label: 'Difference between the measured and the theoretical weight change',
		data: [order.map((i) => dt[i]), order.map((i) => (dw[i] - theory[i]) / unit)],
		series: [{ label: 'difference', colour: (t) => t.accent, points: 4 }],
		range: (u, min, max) => {
			const a = Math.max(Math.abs(min), Math.abs(max)) || 1;
			return [-1.2 * a, 1.2 * a];
		},
	});
}

/* The same numbers as a table, for eyes and ears that prefer one. */
export function numbersTable(caption, names, columns) {
	return el('details', { class: 'numbers' }, el('summary', {}, 'The numbers'),
		el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
			el('table', {}, el('caption', { class: 'hidden' }, caption),
				el('thead', {}, el('tr', {}, names.map((n) => el('th', { scope: 'col' }, n)))),
				el('tbody', {}, columns[0].map((_, i) =>
					el('tr', {}, columns.map((c) => el('td', {}, num(c[i], 10)))))))));
}
