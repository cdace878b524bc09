import Compiler

/// Node packages: the package manager that the lock file tells, and the scripts that are there.
enum NodePart {
    private struct PackageTool {
        var name: String
        var install: String
        var run: String
        var lock: String?
        var image: String?
    }

    /// The steps, when there is a `package.json`.
    static func find(_ folder: Folder) -> Part? {
        guard folder.has("package.json") else { return nil }
        let package = folder.json("package.json")
        let manager = manager(folder, package)
        let scripts = Set((package?["scripts"]?.members ?? []).map(\.key))
        var blocks: [Part.Block] = [.step(install(folder, package, manager, scripts))]
        var checks: [Part.Call] = []
        for names in [["format:check"], ["lint"], ["typecheck", "type-check", "check-types"]] {
            guard let script = names.first(where: scripts.contains) else { continue }
            checks.append(Part.Call(command: "\(manager.run) \(script)", name: script))
        }
        if let test = package?["scripts"]?["test"]?.text, !test.contains("no test specified") {
            checks.append(Part.Call(command: "\(manager.run) test", name: "test"))
        }
        if checks.count == 1 { blocks.append(.step(checks[0])) }
        if checks.count > 1 { blocks.append(.parallel(checks)) }
        if scripts.contains("build") {
            blocks.append(.step(Part.Call(command: "\(manager.run) build", name: "build")))
            blocks.append(.lines(["# artifacts.upload(\"dist/\") keeps what was built."]))
        }
        let version = nodeVersion(folder, package)
        return Part(
            title: "Node (\(manager.name))", folder: folder.name,
            image: manager.image ?? "node:\(version)-slim", blocks: blocks)
    }

    /// The lock file tells, else the field `packageManager`, else it is npm.
    private static func manager(_ folder: Folder, _ package: JSONValue?) -> PackageTool {
        let named = package?["packageManager"]?.text ?? ""
        let npmLock = folder.first(of: ["package-lock.json", "npm-shrinkwrap.json"])
        func isUsed(_ name: String, lock: String) -> Bool {
            folder.has(lock) || (npmLock == nil && named.hasPrefix(name + "@"))
        }
        if isUsed("pnpm", lock: "pnpm-lock.yaml") {
            let locked = folder.has("pnpm-lock.yaml")
            return PackageTool(
                name: "pnpm",
                install: "corepack pnpm install" + (locked ? " --frozen-lockfile" : ""),
                run: "corepack pnpm run", lock: locked ? "pnpm-lock.yaml" : nil)
        }
        if isUsed("yarn", lock: "yarn.lock") {
            let locked = folder.has("yarn.lock")
            let strict = folder.has(".yarnrc.yml") ? " --immutable" : " --frozen-lockfile"
            return PackageTool(
                name: "yarn", install: "corepack yarn install" + (locked ? strict : ""),
                run: "corepack yarn run", lock: locked ? "yarn.lock" : nil)
        }
        if let lock = folder.first(of: ["bun.lock", "bun.lockb"]) {
            return PackageTool(
                name: "bun", install: "bun install --frozen-lockfile", run: "bun run", lock: lock,
                image: "oven/bun:1")
        }
        return PackageTool(
            name: "npm", install: npmLock == nil ? "npm install" : "npm ci", run: "npm run",
            lock: npmLock)
    }

    /// The installation is cached when all that it looks at is known: the two files. Scripts that
    /// run at installation and packages in the same repository look at more.
    private static func install(
        _ folder: Folder, _ package: JSONValue?, _ manager: PackageTool, _ scripts: Set<String>
    ) -> Part.Call {
        var call = Part.Call(command: manager.install, name: "install")
        if package == nil {
            call.comment = ["package.json is not JSON, so that its scripts are not known."]
            return call
        }
        let looksAtMore =
            !scripts.isDisjoint(with: ["prepare", "preinstall", "install", "postinstall"])
            || package?["workspaces"] != nil || folder.has("pnpm-workspace.yaml")
            || folder.has(".yarnrc.yml") || folder.text("package.json").contains("\"file:")
        guard let lock = manager.lock else {
            call.comment = [
                "Commit a lock file, then this can be cached: inputs=[\"package.json\", the lock",
                "file], outputs=[\"node_modules/\"].",
            ]
            return call
        }
        guard !looksAtMore else { return call }
        call.comment = ["Cached: runs again only when one of the inputs changes."]
        call.inputs = ["package.json", lock]
        if folder.has(".npmrc") { call.inputs.append(".npmrc") }
        if folder.hasFolder("patches") { call.inputs.append("patches/**") }
        call.outputs = ["node_modules/"]
        return call
    }

    private static func nodeVersion(_ folder: Folder, _ package: JSONValue?) -> String {
        for file in [".nvmrc", ".node-version"] {
            if let version = Scan.version(in: folder.text(file), parts: 1) { return version }
        }
        // `>=18` names the oldest, which is not what a new pipeline should run on, but it is
        // what the package promises to work with.
        let engines = package?["engines"]?["node"]?.text ?? ""
        if let version = Scan.version(in: engines, parts: 1), let number = Int(version),
            number >= 14, number < 100
        {
            return version
        }
        return "22"
    }
}
