// A bar with fills and marks. A mark with an id is a slider: dragged by pointer, moved by arrow keys, set when let go.
export default {
  template: `
    <div class="bar" :class="{ lettered: marks.some((m) => m.label) }" role="group" :aria-label="said ? name + ': ' + said : name">
      <div class="track" ref="track">
        <div v-for="(f, i) in fills" :key="'f' + i" class="fill" :class="'tone-' + f[2]" :style="{ left: cent(f[0]), width: cent(f[1] - f[0]) }"></div>
      </div>
      <div v-for="(m, i) in marks" :key="m.id || 'm' + i" class="mark" :class="['tone-' + m.tone, { moves: m.id, held: held === m.id && m.id }]"
        :style="{ left: cent(place(m)) }" v-bind="slider(m)"
        @pointerdown="take($event, m)" @pointermove="move($event, m)" @pointerup="leave($event, m)" @pointercancel="leave($event, m)" @keydown="key($event, m)">
        <span v-if="m.label" class="mark-label" :class="{ first: place(m) < 0.18, last: place(m) > 0.82 }">{{ m.label }}</span>
      </div>
    </div>`,
  props: { name: String, said: String, fills: Array, marks: Array },
  data: () => ({ held: null, at: 0 }),
  methods: {
    cent: (share) => 100 * Math.min(1, Math.max(0, share)) + "%",
    place(m) { return m.id && this.held === m.id ? this.at : m.at; },
    slider(m) {
      if (!m.id) return { "aria-hidden": "true" };
      return {
        role: "slider", tabindex: 0, "aria-label": m.name, "aria-valuemin": Math.round(100 * m.least), "aria-valuemax": Math.round(100 * m.most),
        "aria-valuenow": Math.round(100 * this.place(m)), "aria-valuetext": m.label,
      };
    },
    snap(m, at) { return Math.min(m.most, Math.max(m.least, Math.round(at / m.step) * m.step)); },
    take(event, m) {
      if (!m.id) return;
      event.preventDefault();
      event.currentTarget.setPointerCapture(event.pointerId);
      event.currentTarget.focus();
      this.held = m.id;
      this.at = m.at;
    },
    move(event, m) {
      if (!m.id || this.held !== m.id) return;
      const box = this.$refs.track.getBoundingClientRect();
      const at = this.snap(m, (event.clientX - box.left) / box.width);
      if (at !== this.at) {
        this.at = at;
        this.$emit("slide", { id: m.id, at });
      }
    },
    leave(event, m) {
      if (!m.id || this.held !== m.id) return;
      this.held = null;
      if (this.at !== m.at) this.$emit("set", { id: m.id, at: this.at });
    },
    key(event, m) {
      if (!m.id) return;
      const big = Math.max(m.step, 0.1);
      const by = { ArrowRight: m.step, ArrowUp: m.step, ArrowLeft: -m.step, ArrowDown: -m.step, PageUp: big, PageDown: -big }[event.key];
      let at = by === undefined ? { Home: m.least, End: m.most }[event.key] : m.at + by;
      if (at === undefined) return;
      event.preventDefault();
      at = this.snap(m, at);
      if (at !== m.at) this.$emit("set", { id: m.id, at });
    },
  },
};
