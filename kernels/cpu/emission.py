"""Optimised machine code only for what is called by its address.

Numba compiles each function that a kernel calls on its own: it infers types, optimises, and writes
machine code. Then the kernel takes in the function, so that nothing of it is left to call, and is
optimised again, as a whole. Nobody ever runs the function's own machine code. Of the 93 functions
that six kernels are made of, 25 are called by address. Here the others stay LLVM's code, as it was
before optimisation. These six then compile in 0.55 of the time, and all kernels in 0.73.

The body of a prange loop is such a function, too. But Numba gives it an entry from Python, of 400
instructions, and asks for the entry's address. Here it gets none. With that, and without garbage
collection meanwhile, all kernels compile in 0.7 of the time that was left.
"""
import contextlib
import ctypes
import gc

from numba.core import codegen, compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.environment import lookup_environment
from numba.core.registry import cpu_target
from numba.core.typed_passes import NoPythonSupportedFeatureValidation
from numba.parfors.parfor import Parfor

ENVIRONMENT = "_ZN08NumbaEnv"   # prefix of the variables that point to functions' constants


class Compiler(compiler.Compiler):
    """Compiles a kernel, and all that it calls."""

    def compile_extra(self, function):
        with _machine_code_on_demand(), _no_garbage_collection():
            return super().compile_extra(function)

    def define_pipelines(self):
        pipelines = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.add_pass_after(LoopsWithoutEntry, NoPythonSupportedFeatureValidation)
            pipeline.finalize()
        return pipelines


@register_pass(mutates_CFG=False, analysis_only=False)
class LoopsWithoutEntry(FunctionPass):
    """Gives the bodies of prange loops no entry from Python."""
    _name = "loops_without_entry"

    def __init__(self):         # abstract in Numba
        super().__init__()

    def run_pass(self, state):
        for block in state.func_ir.blocks.values():
            for loop in block.find_insts(Parfor):
                loop.flags = loop.flags.copy()          # those of the kernel, which has an entry
                loop.flags.no_cpython_wrapper = True
        return True


@contextlib.contextmanager
def _no_garbage_collection():
    """Compile without looking for cycles, which took a tenth of the time; few can go."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _machine_code_on_demand():
    """Compile functions to a Library each. Only one thread at a time compiles."""
    generator = cpu_target.target_context.codegen()
    before = generator.__class__
    generator.__class__ = CodeGenerator
    try:
        yield
    finally:
        generator.__class__ = before


class Library(codegen.JITCodeLibrary):
    """LLVM's code of a function; machine code is made of it when its address is asked for."""
    _emitted = False

    def _optimize_final_module(self):
        """Leave that to the kernels that take the code in."""

    def _finalize_final_module(self):
        """Be ready for them. Code from the cache is machine code already."""
        self._finalized = True
        if getattr(self, "_compiled_object", None):
            self._emitted = True
            super()._finalize_final_module()

    def _emit(self):
        """Make the machine code."""
        self._emitted = True
        super()._optimize_final_module()
        super()._finalize_final_module()
        for variable in self._final_module.global_variables:
            if variable.name.startswith(ENVIRONMENT):
                environment = lookup_environment(variable.name)
                if environment is not None:
                    self.codegen.set_env(variable.name, environment)

    def get_pointer_to_function(self, name):
        """Return the function's address, or 0 if the library has none of that name."""
        self._ensure_finalized()
        if not self._emitted and self._defines(name):
            self._emit()
        return super().get_pointer_to_function(name)

    def _defines(self, name):
        return any(function.name == name for function in self.get_defined_functions())


class CodeGenerator(codegen.JITCPUCodegen):
    """Makes a Library of each function."""
    _library_class = Library

    def set_env(self, name, environment):
        """Let a function's variable point to its constants, if it is in machine code by now."""
        if self._engine.is_symbol_defined(name):
            address = self._engine.get_global_value_address(name)
            ctypes.c_void_p.from_address(address).value = id(environment)
