# %% [markdown]
# # A classifier: the same kernels do supervised learning
#
#     python examples/classifier.py              seven epochs, a minute or so: 99 % of the digits
#     python examples/classifier.py --epochs 1   a quick look
#
# The layers of the autoencoders, their kernels and their training loop, with another loss: a
# network says which digit an image shows. It is the one that judges images in
# `scratchvae evaluate RUN`, and lies in `scratchvae/analysis/image_classifier.py`. In a notebook,
# change the options in the next cell.

# %%
import numpy as np

from scratchvae.analysis import plots
from scratchvae.analysis.image_classifier import train_classifier
from scratchvae.data import load_images
from scratchvae.gradcheck import check_model
from scratchvae.layers import Dense
from scratchvae.models import Classifier
from scratchvae.notebook import read_options, show

options = read_options(epochs=7, limit=None, data_dir=None, out="classifier_figures")

# %% [markdown]
# ## The loss, and its gradient
#
# The last layer gives a number $l_c$ for each class, its logit. The softmax turns them into
# probabilities, and the loss is the negative logarithm of that of the label $y$:
#
# $$p_c = \frac{e^{l_c}}{\sum_k e^{l_k}}, \qquad L = -\log p_y = \log \sum_k e^{l_k} - l_y.$$
#
# The derivative of the first term is $p_c$, that of the second is $-1$ for the label alone:
#
# $$\frac{\partial L}{\partial l_c} = p_c - [c = y].$$
#
# It is the form of the binary cross-entropy, $p - x$, once more: what the network says, less what
# is true. From there the chain runs back through layers that know nothing of classes.

# %%
small = Classifier([Dense(5, activation="tanh")], classes=3)
small.build((4,))
print(check_model(small))

# %% [markdown]
# ## Training
#
# Two convolutions, each followed by a pooling that halves the image, and a dense layer of 128
# features. Dropout leaves out a quarter of the numbers at random, so that no feature relies on a
# single other one. The learning rate falls to 0 along a cosine.

# %%
data = load_images("mnist", options.data_dir)
data.x_train = data.x_train[:options.limit]
data.y_train = data.y_train[:options.limit]
note = data.description
print(note)
classifier, history = train_classifier(data, options.epochs)
show(classifier)
show(plots.loss_curves(history, title="A classifier of digits", note=note, ylabel="nats"),
     options.out / "loss_curves.png")

# %% [markdown]
# ## How good it is
#
# The accuracy is the part of the test images whose most probable class is the label. Look at the
# table for pairs that are taken for each other.

# %%
probabilities = classifier.predict(data.x_test)
chosen = probabilities.argmax(axis=1)
print(f"accuracy on the test set: {np.mean(chosen == data.y_test):.2%}")
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (data.y_test, chosen), 1)
print("rows: the label; columns: the class that was chosen")
print(confusion)

# %% [markdown]
# ## What it is sure of, and what not
#
# The margin is how far log p of the label lies above that of the best other class: below 0 the
# image is taken for another digit. The lowest margins, above the highest. Many of the first images
# are hard for people, too; some labels are wrong.

# %%
log_p = np.log(probabilities + 1e-30)
examples = np.arange(len(chosen))
of_label = log_p[examples, data.y_test]
log_p[examples, data.y_test] = -np.inf
margin = of_label - log_p.max(axis=1)
show(plots.extremes(data.x_test, margin, title="Lowest and highest margins", note=note),
     options.out / "extremes.png")

# %% [markdown]
# ## Features that measure other models
#
# The numbers before the logits, `classifier.extract_features(x)`, say what an image shows rather
# than which pixels it has. So distances between them tell how far generated images are from real
# ones: `scratchvae evaluate RUN` prints the Frechet distance, the Inception Score, precision and
# recall of a run's samples beside those of real images.
