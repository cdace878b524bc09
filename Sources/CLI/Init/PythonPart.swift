/// Python packages: uv, poetry or pip in a virtual environment, and the tools that are configured.
enum PythonPart {
    private struct Tools {
        var ruff = false
        var flake8 = false
        var mypy = false
        var pytest = false
        var tox = false
    }

    /// The steps, when there is a Python project.
    static func find(_ folder: Folder) -> Part? {
        let marks = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "tox.ini"]
        guard folder.first(of: marks) != nil else { return nil }
        let project = folder.text("pyproject.toml")
        let tools = tools(folder, project)
        let version =
            Scan.version(in: folder.text(".python-version")).flatMap {
                $0.hasPrefix("3.") ? $0 : nil
            } ?? "3.12"
        if folder.has("uv.lock") || project.contains("[tool.uv") {
            let frozen = folder.has("uv.lock") ? " --frozen" : ""
            return part(
                "uv", folder, "ghcr.io/astral-sh/uv:python\(version)-bookworm-slim",
                Part.Call(command: "uv sync\(frozen)", name: "install"), "uv run ", tools)
        }
        if folder.has("poetry.lock") || project.contains("[tool.poetry]") {
            let install = Part.Call(
                command: "python -m venv .poetry && .poetry/bin/pip install --quiet poetry"
                    + " && .poetry/bin/poetry config --local virtualenvs.in-project true"
                    + " && .poetry/bin/poetry install", name: "install")
            return part(
                "poetry", folder, "python:\(version)-slim", install, ".poetry/bin/poetry run ",
                tools)
        }
        return part(
            "pip", folder, "python:\(version)-slim", pipInstall(folder, project, tools),
            ".venv/bin/", tools)
    }

    private static func tools(_ folder: Folder, _ project: String) -> Tools {
        let requirements = folder.files.filter {
            $0.hasPrefix("requirements") && $0.hasSuffix(".txt")
        }.sorted().map { folder.text($0) }.joined()
        let configuration = project + folder.text("setup.cfg") + folder.text("tox.ini")
        func mentions(_ tool: String) -> Bool {
            configuration.contains(tool) || requirements.contains(tool)
        }
        return Tools(
            ruff: mentions("ruff") || folder.first(of: ["ruff.toml", ".ruff.toml"]) != nil,
            flake8: folder.has(".flake8") || mentions("flake8"),
            mypy: mentions("mypy") || folder.first(of: ["mypy.ini", ".mypy.ini"]) != nil,
            pytest: mentions("pytest") || folder.first(of: ["pytest.ini", "conftest.py"]) != nil,
            tox: folder.has("tox.ini") || project.contains("[tool.tox"))
    }

    private static func part(
        _ manager: String, _ folder: Folder, _ image: String, _ install: Part.Call,
        _ prefix: String, _ tools: Tools
    ) -> Part {
        var checks: [Part.Call] = []
        if tools.ruff {
            checks.append(Part.Call(command: "\(prefix)ruff check .", name: "ruff"))
        } else if tools.flake8 {
            // It would read the packages of the environment too.
            let environments = manager == "poetry" ? ".venv,.poetry" : ".venv"
            checks.append(
                Part.Call(
                    command: "\(prefix)flake8 --extend-exclude \(environments)", name: "flake8"))
        }
        if tools.mypy { checks.append(Part.Call(command: "\(prefix)mypy .", name: "mypy")) }
        var blocks: [Part.Block] = [.step(install)]
        if tools.pytest {
            checks.append(
                Part.Call(command: "\(prefix)pytest --junitxml=junit.xml", name: "pytest"))
        } else if tools.tox {
            checks.append(Part.Call(command: "\(prefix)tox", name: "tox"))
        } else if folder.hasFolder("tests") || folder.hasFolder("test") {
            checks.append(
                Part.Call(command: "\(prefix)python -m unittest discover", name: "unittest"))
        } else if checks.isEmpty {
            checks.append(
                Part.Call(
                    command: "\(prefix)python -m compileall -q -x '[.](venv|poetry)' .",
                    name: "compile"))
        }
        blocks.append(checks.count == 1 ? .step(checks[0]) : .parallel(checks))
        if tools.pytest {
            let path = folder.name.isEmpty ? "junit.xml" : folder.name + "/junit.xml"
            blocks.append(
                .lines([
                    "artifacts.upload(\(PythonText.string(path)), "
                        + "name=\(PythonText.string(unique("tests", folder))), junit=True)"
                ]))
        }
        return Part(
            title: "Python (\(manager))", folder: folder.name, image: image, blocks: blocks)
    }

    private static func unique(_ name: String, _ folder: Folder) -> String {
        folder.name.isEmpty ? name : "\(name)-\(PythonText.slug(folder.name))"
    }

    /// The environment lies in the workspace, so that the next steps have it on any machine. It
    /// is cached only when requirements alone decide what is in it.
    private static func pipInstall(
        _ folder: Folder, _ project: String, _ tools: Tools
    ) -> Part.Call {
        var wanted: [String] = []
        let requirements = ["requirements.txt", "requirements-dev.txt", "requirements-test.txt"]
            .filter(folder.has)
        wanted += requirements.map { "-r \($0)" }
        let installable =
            folder.has("setup.py") || project.contains("[project]")
            || project.contains("[build-system]")
        if installable {
            let extra = ["dev", "test", "tests"].first {
                project.contains("\n\($0) = [") && project.contains("optional-dependencies")
            }
            wanted.append(extra.map { "-e '.[\($0)]'" } ?? "-e .")
        }
        if tools.ruff { wanted.append("ruff") } else if tools.flake8 { wanted.append("flake8") }
        if tools.mypy { wanted.append("mypy") }
        if tools.pytest { wanted.append("pytest") } else if tools.tox { wanted.append("tox") }
        var command = "python -m venv .venv"
        if !wanted.isEmpty {
            command += " && .venv/bin/pip install --quiet \(wanted.joined(separator: " "))"
        }
        var call = Part.Call(command: command, name: "install")
        if !installable, !requirements.isEmpty {
            call.comment = ["Cached: runs again only when one of the inputs changes."]
            call.inputs = requirements
            call.outputs = [".venv/"]
        }
        return call
    }
}
