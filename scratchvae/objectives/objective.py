"""What objectives share."""
from ..layers.workspace import Workspace


class Objective:
    """The cost of a code z = mu + sigma eps from q(z|x) = N(mu, sigma^2), lv = log sigma^2.

    A subclass has `name`; `formulas`, place of the step -> Formula; and

        forward(mu, lv, eps, z)     arrays (N, J); returns the cost of each example (N,)
        backward(dmu, dlv, weight)  adds the gradient of weight times the batch's mean cost

    Attributes
    ----------
    arguments : tuple of str
        The names of the constructor's arguments.
    kl : array (N,)
        The KL divergences of the last forward pass, for the record.
    """
    arguments = ()

    def build(self, kernels, dtype):
        """Set the backend and the dtype."""
        self.kernels = kernels
        self.workspace = Workspace(kernels, dtype, reuse=True)

    def keep(self, mu, lv, eps, z):
        """Keep the arrays for the backward pass, and compute `kl`."""
        self.mu = mu
        self.lv = lv
        self.eps = eps
        self.z = z
        self.kl = self.workspace.array("kl", mu.shape[:1])
        self.kernels.gaussian_kl_forward(mu, lv, self.kl)

    def as_cost(self, numbers):
        """Return numbers on the host, (N,) or one for all, as an array (N,) of the backend."""
        cost = self.workspace.array("cost", self.kl.shape)
        self.kernels.copy(numbers, cost)
        return cost

    def add_through_z(self, dz, dmu, dlv):
        """Add to dmu and dlv what reaches them through z = mu + sigma eps."""
        dmu_of_z = self.workspace.array("dmu_of_z", dz.shape)
        dlv_of_z = self.workspace.array("dlv_of_z", dz.shape)
        self.kernels.reparameterize_backward(dz, self.lv, self.eps, dmu_of_z, dlv_of_z)
        self.kernels.add(dmu_of_z, dmu)
        self.kernels.add(dlv_of_z, dlv)

    def differentiable(self):
        """Return a like objective whose backward pass is the derivative of its cost."""
        return self

    def get_config(self):
        """Return the name and the arguments that make this objective again."""
        return {"name": self.name, **{name: getattr(self, name) for name in self.arguments}}
