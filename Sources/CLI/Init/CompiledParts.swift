/// Languages whose own tool builds and tests: Rust, Go, Swift, Java, C and C++.
enum CompiledParts {
    /// The steps for a Cargo package or workspace.
    static func rust(_ folder: Folder) -> Part? {
        guard folder.has("Cargo.toml") else { return nil }
        let workspace = folder.text("Cargo.toml").contains("[workspace]")
        let toolchain = folder.text("rust-toolchain.toml") + folder.text("rust-toolchain")
        let version = Scan.version(in: toolchain, parts: 3) ?? "1"
        let all = workspace ? " --workspace" : ""
        let locked = folder.has("Cargo.lock") ? " --locked" : ""
        return Part(
            title: workspace ? "Rust (workspace)" : "Rust", folder: folder.name,
            image: "rust:\(version)",
            blocks: [
                .step(
                    call(
                        "rustup component add rustfmt && cargo fmt --all --check", "format")),
                .step(
                    call(
                        "rustup component add clippy"
                            + " && cargo clippy\(all) --all-targets\(locked) -- -D warnings",
                        "clippy", "These two share `target/`, so they run one after the other.")),
                .step(call("cargo test\(all)\(locked)", "test")),
            ])
    }

    /// The steps for a Go module.
    static func go(_ folder: Folder) -> Part? {
        guard folder.first(of: ["go.mod", "go.work"]) != nil else { return nil }
        let version =
            Scan.version(in: folder.text("go.mod") + "\n" + folder.text("go.work"), after: "go ")
            ?? "1.23"
        var checks = [call("go vet ./...", "vet"), call("go test ./...", "test")]
        if folder.first(of: [".golangci.yml", ".golangci.yaml", ".golangci.toml"]) != nil {
            var lint = call("golangci-lint run", "lint")
            lint.image = "golangci/golangci-lint:latest"
            checks.insert(lint, at: 0)
        }
        checks.insert(call("test -z \"$(gofmt -l .)\"", "format"), at: 0)
        return Part(
            title: "Go", folder: folder.name, image: "golang:\(version)",
            blocks: [.parallel(checks), .step(call("go build ./...", "build"))])
    }

    /// The steps for a Swift package.
    static func swift(_ folder: Folder) -> Part? {
        guard folder.has("Package.swift") else { return nil }
        let version =
            Scan.version(in: folder.text("Package.swift"), after: "// swift-tools-version:")
            ?? Scan.version(in: folder.text("Package.swift"), after: "// swift-tools-version: ")
        var blocks: [Part.Block] = [.step(call("swift build", "build"))]
        if folder.hasFolder("Tests") { blocks.append(.step(call("swift test", "test"))) }
        return Part(
            title: "Swift", folder: folder.name, image: "swift:\(version ?? "6.0")",
            blocks: blocks)
    }

    /// The steps for Maven or Gradle.
    static func java(_ folder: Folder) -> Part? {
        if folder.has("pom.xml") {
            let maven = folder.has("mvnw") ? "./mvnw" : "mvn"
            return Part(
                title: "Java (Maven)", folder: folder.name,
                image: "maven:3-eclipse-temurin-21",
                blocks: [.step(call("\(maven) --batch-mode verify", "verify"))])
        }
        guard folder.first(of: ["build.gradle", "build.gradle.kts"]) != nil else { return nil }
        let wrapper = folder.has("gradlew")
        return Part(
            title: "Java (Gradle)", folder: folder.name,
            image: wrapper ? "eclipse-temurin:21" : "gradle:8-jdk21",
            blocks: [.step(call("\(wrapper ? "./gradlew" : "gradle") build", "build"))])
    }

    /// The steps for CMake.
    static func cmake(_ folder: Folder) -> Part? {
        guard folder.has("CMakeLists.txt") else { return nil }
        return Part(
            title: "C/C++ (CMake)", folder: folder.name, image: "buildpack-deps:bookworm",
            blocks: [
                .step(
                    call(
                        "apt-get update && apt-get install --yes cmake"
                            + " && cmake -S . -B build && cmake --build build --parallel"
                            + " && ctest --test-dir build --output-on-failure", "build and test",
                        "An image of your own with CMake in it would be faster."))
            ])
    }

    /// The steps for the usual targets of a Makefile.
    static func make(_ folder: Folder) -> Part? {
        guard let file = folder.first(of: ["Makefile", "GNUmakefile", "makefile"]) else {
            return nil
        }
        let targets = targets(folder.text(file))
        var blocks: [Part.Block] = []
        for target in ["lint", "build", "all", "check", "test"] where targets.contains(target) {
            if target == "all", targets.contains("build") { continue }
            blocks.append(.step(call("make \(target)", target)))
        }
        if blocks.isEmpty { blocks = [.step(call("make", "make"))] }
        return Part(
            title: "Makefile", folder: folder.name, image: "buildpack-deps:bookworm",
            blocks: blocks)
    }

    /// The names before `:` at the start of lines.
    static func targets(_ makefile: String) -> Set<String> {
        var found: Set<String> = []
        for line in makefile.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line.first != "\t", line.first != "#",
                line.first != "."
            else { continue }
            if line[line.index(after: colon)...].first == "=" { continue }
            for name in line[..<colon].split(separator: " ") { found.insert(String(name)) }
        }
        return found
    }

    private static func call(
        _ command: String, _ name: String, _ comment: String? = nil
    ) -> Part.Call {
        Part.Call(command: command, name: name, comment: comment.map { [$0] } ?? [])
    }
}
