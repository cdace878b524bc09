/// What is known of the job that asks for a secret. It comes from the master's own record of what
/// triggered the job, never from the repository.
package struct SecretContext: Sendable, Equatable {
    /// The team of the pipeline, when it has one.
    package var team: String?
    package var pipeline: String
    /// Without `refs/heads/`; `nil` for a tag or a commit of no branch.
    package var branch: String?
    /// What began the job (`push`, `manual`, `schedule`).
    package var event: String
    /// Whether the commit comes from a fork of the repository, or may.
    package var isFork: Bool

    package init(team: String?, pipeline: String, branch: String?, event: String, isFork: Bool) {
        self.team = team
        self.pipeline = pipeline
        self.branch = branch
        self.event = event
        self.isFork = isFork
    }
}

/// Why a secret is not given to a job.
package enum SecretDenial: String, Sendable, Equatable {
    case fork, scope, branch, event

    /// In a sentence.
    package var message: String {
        switch self {
        case .fork: "no secret is given to a job of a fork."
        case .scope: "it belongs to another team or pipeline."
        case .branch: "it is not for this branch."
        case .event: "it is not for jobs that begin like this."
        }
    }
}

/// Who is given which secret.
package enum SecretPolicy {
    /// The decision of `mayRead`.
    package enum Decision: Sendable, Equatable {
        case granted
        case denied(SecretDenial)
    }

    /// Decides whether a job may have a secret of a scope and restriction. Names are compared by
    /// bytes: two that only look the same are different.
    package static func mayRead(
        _ scope: SecretScope, _ restriction: SecretRestriction, _ context: SecretContext
    ) -> Decision {
        if context.isFork { return .denied(.fork) }
        switch scope {
        case .global: break
        case .team(let name):
            guard let team = context.team, same(team, name) else { return .denied(.scope) }
        case .pipeline(let name):
            guard same(context.pipeline, name) else { return .denied(.scope) }
        }
        if !restriction.branches.isEmpty {
            guard let branch = context.branch,
                restriction.branches.contains(where: { $0.matches(branch) })
            else { return .denied(.branch) }
        }
        if !restriction.events.isEmpty,
            !restriction.events.contains(where: { same($0, context.event) })
        {
            return .denied(.event)
        }
        return .granted
    }

    private static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}
