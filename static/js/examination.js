// What a worker found out about an image: how strongly the map of what matters lies over the picture.

function strengthen(event) {
  const slider = event.target.closest?.(".saliency-strength input");
  slider?.closest(".saliency").style.setProperty("--strength", slider.value / 100);
}

document.addEventListener("input", strengthen);
