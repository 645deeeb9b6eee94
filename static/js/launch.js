// The launch form: another kind of classifier brings its own experiments, of which the smallest is proposed.

const form = document.getElementById("launch");

function kindOf(name) {
  return form.querySelector(`[name=${name}]:checked`)?.dataset.kind;
}

function proposeExperiment(event) {
  if (event.target.name !== "classifier") return;
  const [classifier, preset] = [kindOf("classifier"), kindOf("preset")];
  if (!preset || preset === classifier) return; // own numbers go with every classifier
  const proposed = form.querySelector(`[name=preset][data-kind=${classifier}][data-proposed]`);
  if (proposed) proposed.checked = true;
}

form.addEventListener("input", proposeExperiment);
