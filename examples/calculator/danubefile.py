"""Builds and tests a small C program: each file is compiled when it changed, and only then."""

from danube import artifacts, files, parallel, pipeline, step

FLAGS = "-std=c11 -O2 -Wall -Wextra -Werror"


@pipeline(name="Calculator")
def build() -> None:
    """Compiles every source on its own, links, and tests the program."""
    objects = []
    with parallel("compile"):
        for source in files.glob("src/*.c"):
            name = source.removeprefix("src/").removesuffix(".c")
            objects.append(f"build/{name}.o")
            step.run(
                f"mkdir -p build && cc {FLAGS} -c {source} -o build/{name}.o",
                name=f"Compile {name}",
                inputs=[source, "src/*.h"],
                outputs=[f"build/{name}.o"],
            )
    step.run(
        f"cc -o build/calculator {' '.join(objects)}",
        name="Link",
        inputs=objects,
        outputs=["build/calculator"],
    )
    step.run(
        "sh tests/run.sh build/calculator",
        name="Test",
        inputs=["build/calculator", "tests/"],
        outputs=["report.xml"],
    )
    artifacts.upload("build/calculator")
    artifacts.upload("report.xml", junit=True)
