#!/bin/sh
# Trains labs with their seeds and prints their measures, as in RESULTS.md.
#
#     sh examples/measure_labs.sh FOLDER
set -e
out=${1:?a folder for the runs}
scratchvae train mnist-dense --seed 0 --out "$out/mnist-dense"
scratchvae train mnist-dense --seed 0 --set latent_dim=8 --epochs 12 --out "$out/mnist-dense-8"
scratchvae train mnist-latent8 --seed 0 --set activations=deepobs --epochs 2 --out "$out/mnist-latent8"
scratchvae train fashion-conv --seed 0 --epochs 3 --out "$out/fashion-conv"
for run in mnist-dense mnist-dense-8 mnist-latent8 fashion-conv; do
    scratchvae evaluate "$out/$run"
done
