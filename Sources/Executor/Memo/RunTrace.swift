internal import PipelineIR

/// What the steps of a run read and wrote, for a memo of the job.
final class RunTrace {
    /// What is known of a step.
    enum Step {
        /// Its result is in the cache.
        case cached(inputs: FileTree, outputs: FileTree)
        /// It is as an earlier job left it.
        case clean
        /// It copied files.
        case copied(read: [(TreePath, FileStamp)], written: [(TreePath, FileStamp)])
        /// It did nothing.
        case skipped
    }

    private var steps: [Step?]

    /// Begins with nothing known.
    init(count: Int) { steps = Array(repeating: nil, count: count) }

    /// What is known of a step.
    subscript(step: StepIndex) -> Step? {
        get { steps[step.int] }
        set { steps[step.int] = newValue }
    }

    /// The memo of a job in workspaces of its own that began with a tree, of which the same is
    /// known: all that it touched of the working copy are its artifacts.
    func memo(
        of plan: Plan, job: String, digest: PlanDigest, source: Digest, folder: Folder,
        memory: DigestMemory
    ) -> JobMemo? {
        guard !steps.contains(where: { $0 == nil }) else { return nil }
        var builder = JobMemoBuilder(folder: folder, memory: memory)
        for step in steps {
            if case .copied(_, let written) = step {
                builder.add(read: [], written: written)
            } else {
                builder.addNothing()
            }
        }
        var memo = builder.finish(job: job, pipeline: plan.pipeline, digest: digest)
        memo.source = source
        return memo
    }

    /// The memo of a job of which everything is known, which is when all its steps are in the
    /// cache, were skipped, or copied files; `nil` otherwise.
    func memo(
        of plan: Plan, job: String, digest: PlanDigest, after earlier: JobMemo?, folder: Folder,
        memory: DigestMemory
    ) -> JobMemo? {
        guard !steps.contains(where: { $0 == nil }) else { return nil }
        if let earlier, let quick = revised(earlier, plan, job, folder, memory) { return quick }
        var builder = JobMemoBuilder(folder: folder, memory: memory)
        for (index, step) in steps.enumerated() {
            switch step {
            case .cached(let inputs, let outputs):
                builder.add(
                    inputs: inputs, globs: plan.steps[index].options?.inputs ?? [],
                    outputs: outputs)
            case .clean:
                guard let earlier else { return nil }
                builder.add(index, of: earlier)
            case .copied(let read, let written): builder.add(read: read, written: written)
            case .skipped, nil: builder.addNothing()
            }
        }
        return builder.finish(job: job, pipeline: plan.pipeline, digest: digest)
    }

    /// The memo of an earlier job with what a few steps read and wrote looked at again; `nil` when
    /// one of them now depends on other paths than before.
    private func revised(
        _ earlier: JobMemo, _ plan: Plan, _ job: String, _ folder: Folder, _ memory: DigestMemory
    ) -> JobMemo? {
        var revision = JobMemoRevision(earlier, folder: folder, memory: memory)
        for (index, step) in steps.enumerated() {
            switch step {
            case .clean, .skipped: continue
            case .cached(let inputs, let outputs):
                guard plan.steps[index].options?.inputs?.contains(where: Self.isPattern) == false,
                    revision.revise(index, inputs: inputs, outputs: outputs)
                else { return nil }
            case .copied, nil: return nil
            }
        }
        return revision.finish(job: job)
    }

    private static func isPattern(_ glob: String) -> Bool {
        glob.utf8.contains { "*?[!/".utf8.contains($0) && $0 != UInt8(ascii: "/") }
            || glob.utf8.last == UInt8(ascii: "/")
    }
}
