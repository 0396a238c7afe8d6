/** A small line chart on a canvas, sharp on every screen. It draws numbers and knows no meaning. */

export interface ChartOptions {
  /** How many values are on the chart. */
  readonly length: number;
  /** The top of the scale is at least this. */
  readonly ceiling: number;
  /** Whether the scale begins at 0, or near the lowest value. */
  readonly fromZero: boolean;
}

const LINE_PX = 1.5;
/** Room for the line's own width, and for the dot at its end. */
const MARGIN_PX = 4;
/** How much of the line's colour is below it. */
const AREA_ALPHA = 0.12;

export class Chart {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: ChartOptions;
  readonly #values: number[] = [];

  constructor(canvas: HTMLCanvasElement, options: ChartOptions) {
    this.#canvas = canvas;
    this.#options = options;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    const draw = (): void => this.#draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  push(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#options.length) this.#values.shift();
    this.#draw();
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    if (context === null || width === 0) return;
    const scale = devicePixelRatio;
    const pixels = { width: Math.round(width * scale), height: Math.round(height * scale) };
    if (this.#canvas.width !== pixels.width) this.#canvas.width = pixels.width;
    if (this.#canvas.height !== pixels.height) this.#canvas.height = pixels.height;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const points = this.#points(width, height);
    const last = points.at(-1);
    if (last === undefined) return;
    const { color } = getComputedStyle(this.#canvas);
    context.strokeStyle = color;
    context.fillStyle = color;
    this.#drawLine(context, points, height);
    context.beginPath();
    context.arc(last.x, last.y, LINE_PX * 1.5, 0, 2 * Math.PI);
    context.fill();
  }

  #drawLine(
    context: CanvasRenderingContext2D,
    points: readonly { readonly x: number; readonly y: number }[],
    height: number,
  ): void {
    const trace = (): void => {
      context.beginPath();
      for (const { x, y } of points) context.lineTo(x, y);
    };
    trace();
    context.lineTo(points.at(-1)?.x ?? 0, height);
    context.lineTo(points[0]?.x ?? 0, height);
    context.globalAlpha = AREA_ALPHA;
    context.fill();
    context.globalAlpha = 1;
    trace();
    context.lineWidth = LINE_PX;
    context.lineJoin = "round";
    context.stroke();
  }

  /** The newest value is at the right edge; a chart that isn't full yet leaves the left empty. */
  #points(width: number, height: number): { x: number; y: number }[] {
    const { length, ceiling, fromZero } = this.#options;
    const values = this.#values;
    const bottom = fromZero ? 0 : Math.min(...values) * 0.95;
    const top = Math.max(ceiling, ...values.map((value) => value * 1.05));
    const step = (width - MARGIN_PX) / (length - 1);
    const room = height - 2 * MARGIN_PX;
    return values.map((value, index) => ({
      x: width - MARGIN_PX - (values.length - 1 - index) * step,
      y: MARGIN_PX + room * (1 - (value - bottom) / (top - bottom || 1)),
    }));
  }
}
