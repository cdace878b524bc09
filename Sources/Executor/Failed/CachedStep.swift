package import PipelineIR

/// A step that succeeded and whose result is in the cache, so that a person can look around where
/// it ran: its workspace is what it saw and what it changed.
package struct CachedStep {
    /// What it ran, and with what, as it is kept of steps that fail.
    package let step: FailedStep
    /// Where it ran, as it left it.
    package let files: StepShell.Files

    /// Puts together what is known.
    ///
    /// - Parameters:
    ///   - index: the step in its plan.
    ///   - manifest: what its key was made of.
    ///   - outputs: what the result wrote.
    package init(
        _ index: StepIndex, of plan: Plan, _ manifest: Manifest, outputs: FileTree,
        job: JobRecord, cacheFolder: String
    ) {
        let settings = plan.steps[index.int]
        var step = FailedStep()
        step.name = settings.name.isEmpty ? settings.id : settings.name
        step.repository = job.repository
        step.isInPlace = job.mode == "in-place"
        step.folder = step.isInPlace ? job.repository : Workspaces.view(in: cacheFolder)
        step.workdir = settings.workdir
        var words: [String] = []
        var given: [(name: String, value: String)] = []
        for fact in manifest.facts {
            switch fact.kind {
            case .script: step.command = .script(Self.literal(fact.value))
            case .argument: words.append(Self.literal(fact.value))
            case .variable: given.append((fact.name, Self.literal(fact.value)))
            case .image:
                step.image = plan.image(of: settings)
                step.imageID = fact.value
            default: break
            }
        }
        if !words.isEmpty { step.command = .argv(words) }
        let environment = StepEnvironment(temporary: "/tmp")
        if step.image.isEmpty {
            step.variables = environment.variables(given, workspace: step.folder, job: nil)
        } else {
            let names = Set(given.map(\.name))
            step.variables = environment.containerVariables(
                workspace: ContainerOrder.workspace, workdir: settings.workdir, job: nil
            ).filter { !names.contains(String($0.prefix { $0 != "=" })) }
            step.variables += given.map { "\($0.name)=\($0.value)" }
            step.services = (settings.options?.services ?? []).map(FailedStep.Service.init)
        }
        self.step = step
        files = StepShell.Files(
            inputs: manifest.inputs,
            change: settings.settings.keepsChanges
                ? TreeChange(from: manifest.inputs, to: outputs) : TreeChange(adding: outputs))
    }

    /// The text of which `ReferenceText` made this one. What refers to something was put in its
    /// place before.
    private static func literal(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var literal = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            isEscaped = scalar == "\\" && !isEscaped
            if !isEscaped { literal.unicodeScalars.append(scalar) }
        }
        return literal
    }
}

extension FailedStep.Service {
    /// What a plan says of a service, as far as it says it itself.
    init(_ service: Service) {
        self.init(
            name: service.name, image: service.image,
            variables: service.env.map { "\($0.name)=\($0.value.literal ?? "")" },
            ports: service.ports, ready: service.ready.literal ?? "",
            readyMilliseconds: service.readyTimeoutMilliseconds)
    }
}

extension StepShell {
    /// Files of a workspace that come from the cache.
    package struct Files {
        let inputs: FileTree
        let change: TreeChange

        /// The layers of the workspace, from the lowest. Throws when a content has gone.
        func layers(_ store: ContentStore, place: () -> String) throws -> [Layer] {
            for entry in inputs.entries + change.written.entries {
                guard case .file(let digest, let size, _) = entry.node else { continue }
                if store.contains(digest, size: size) { continue }
                throw WorkspaceError.unmade(
                    path: entry.path.text, reason: "the cache has its content no more")
            }
            return try [TreeChange(adding: inputs), change].map { change in
                let folder = place()
                try Workspaces.makeFolder(folder)
                try change.fill(folder, from: store)
                return Layer(path: folder, owners: [])
            }
        }
    }

    /// What the workspace is made of.
    package enum Source {
        /// What is kept of a job that failed.
        case kept(FailedJobs.Held)
        case cached(Files)
    }
}
