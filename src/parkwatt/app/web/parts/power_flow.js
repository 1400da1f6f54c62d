// Sun and grid above, car and house below, a battery between; each hangs on the house's wires and its line runs as power does.
const PLACES = { sun: [64, 62], grid: [276, 62], car: [64, 178], house: [276, 178], battery: [170, 204] };
const WIRES = {
  sun: "M64 62 H158 Q170 62 170 74 V120", grid: "M276 62 H182 Q170 62 170 74 V120", car: "M64 178 H158 Q170 178 170 166 V120",
  house: "M276 178 H182 Q170 178 170 166 V120", battery: "M170 204 V120",
};
const ICONS = {
  sun: "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M12 2v2.4M12 19.6V22M2 12h2.4M19.6 12H22M4.9 4.9l1.7 1.7M17.4 17.4l1.7 1.7M4.9 19.1l1.7-1.7M17.4 6.6l1.7-1.7",
  grid: "M8.5 22 12 2l3.5 20M5 8h14M6.5 8l-1 3M17.5 8l1 3M7.5 13h9M10 13l4.8 5M14 13l-4.8 5",
  car: "M4 16.5v-4l2-5.2A2 2 0 0 1 7.9 6h8.200a2 2 0 0 1 1.9 1.300l2 5.200v4M4 12.500h16M4 16.500h16M6.5 16.500V19M17.5 16.500V19",
  house: "M3.5 11.5 12 4l8.5 7.500M6 9.800V20h12V9.800M10 20v-5.500h4V20",
  battery: "M5 8h13v9H5zM18 11h2v3h-2M8 10.500v4M11 10.500v4",
};
export default {
  template: `
    <svg class="flow" viewBox="0 0 340 240" role="img" :aria-label="said">
      <g fill="none" stroke-linecap="round">
        <path v-for="n in nodes" :key="'w' + n.kind" :d="wires[n.kind]" class="wire" />
        <path v-for="n in nodes.filter((n) => n.flow)" :key="'r' + n.kind" :d="wires[n.kind]" class="run" :class="['tone-' + n.kind, n.flow > 0 ? 'gives' : 'takes']"
          :style="{ strokeWidth: 4 + 4 * n.strength, animationDuration: (2.6 - 1.8 * n.strength) + 's' }" />
      </g>
      <g v-for="n in nodes" :key="n.kind" :class="['node', 'tone-' + n.kind, { on: n.flow, gone: n.gone }]" :transform="'translate(' + places[n.kind].join(' ') + ')'">
        <circle r="31" />
        <path :d="icons[n.kind]" transform="translate(-13.2 -13.2) scale(1.1)" class="icon" />
        <text class="value" y="-40" text-anchor="middle" v-if="above(n)">{{ n.shown }}</text>
        <text class="value" y="50" text-anchor="middle" v-else>{{ n.shown }}</text>
      </g>
    </svg>`,
  props: { nodes: Array, said: String },
  data: () => ({ places: PLACES, wires: WIRES, icons: ICONS }),
  methods: {
    above: (n) => n.kind === "sun" || n.kind === "grid",
  },
};
