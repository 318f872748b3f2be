"""Which texts of the extension stand too weakly on their ground, told by the page itself."""

from __future__ import annotations

CONTRAST = """() => {
  const channel = text => {
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.fillStyle = '#000'; canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = channel(getComputedStyle(at).backgroundColor);
      if (getComputedStyle(at).backgroundColor !== 'rgba(0, 0, 0, 0)' && colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll('.jp-Dapp *')) {
    const own = [...node.childNodes].some(each => each.nodeType === 3 && each.textContent.trim());
    const box = node.getBoundingClientRect();
    if (!own || !box.width || node.closest(':disabled, .jp-Dapp-histogram, svg, [aria-disabled=true]')) continue;
    const [a, b] = [light(channel(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4) poor.push(`${node.className} ${node.textContent.slice(0, 30)} ${ratio.toFixed(1)}`);
  }
  return poor;
}"""
