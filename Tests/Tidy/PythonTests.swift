import Testing

@Suite("python")
struct PythonTests {
    let repository = Repository.shared

    /// Modules that cost start-up time, and those that reach for the host.
    private static let slow: Set = [
        "typing", "dataclasses", "enum", "re", "inspect", "pathlib", "contextlib", "functools",
        "collections", "asyncio", "importlib", "json", "logging", "subprocess", "tempfile",
        "socket",
        "threading", "unittest", "urllib", "argparse", "ast", "decimal", "fractions",
    ]

    @Test("the package and the evaluator import nothing slow when they start")
    func startUp() {
        for folder in ["danube/", "danube_dryrun/"] {
            report(
                repository.handwritten("Sources/PyBridge/python/" + folder, ".py").flatMap {
                    Self.slowImports(PythonText(path: $0.path, text: $0.text))
                })
        }
    }

    @Test("the package does not know the evaluator")
    func packageIsBelowEvaluator() {
        var findings: [Finding] = []
        for file in repository.handwritten("Sources/PyBridge/python/danube/", ".py") {
            for (index, line) in file.lines.enumerated()
            where line.contains("import") && line.contains("danube_dryrun") {
                findings.append(Finding(path: file.path, line: index + 1, message: "imports up"))
            }
        }
        report(findings)
    }

    @Test("every Python file postpones its annotations")
    func annotations() {
        let files = repository.handwritten("Sources/PyBridge/python/", ".py").filter {
            $0.lines.contains { $0.drop { $0 == " " }.hasPrefix("def ") }
        }
        report(
            files.filter {
                // The evaluator's own `__future__`, and packages whose start must cost nothing.
                !$0.path.hasSuffix("/_future.py") && !$0.path.hasSuffix("/__init__.py")
                    && !$0.text.contains("from __future__ import annotations")
            }.map {
                Finding(path: $0.path, message: "does not import annotations from __future__")
            })
    }

    @Test("the rules find what they look for, and only that")
    func rulesFire() {
        let body = String(repeating: "    work()\n", count: 60)
        let source = """
            from __future__ import annotations
            import sys, re
            from collections.abc import Mapping
            if TYPE_CHECKING:
                from typing import Any
            def long(
                a,
            ):
            \(body)
            class Open:
                def method(self):
                    one()
                    two()
                    three()
                def short(self): ...
                def _private(self): ...
            """
        let text = PythonText(path: "a.py", text: source)
        #expect(Self.slowImports(text).map(\.line) == [2, 3])
        #expect(text.longFunctions().map(\.line) == [6])
        #expect(text.undocumented().map(\.line) == [6, 70, 71])
    }

    static func slowImports(_ text: PythonText) -> [Finding] {
        text.startupImports().compactMap { entry in
            let package = String(entry.module.prefix { $0 != "." })
            guard slow.contains(package) else { return nil }
            return Finding(
                path: text.path, line: entry.line, message: "imports \(entry.module) at start-up")
        }
    }
}
