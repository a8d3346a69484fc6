"""Sweeps: many runs of a lab with other settings and seeds, in one folder."""
from .folder import SweepFolder
from .plan import Plan, Point, make_plan
from .processes import Processes
from .scheduled import LAUNCHERS, Jobs
from .search import Search, SearchFolder, make_search
