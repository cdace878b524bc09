import ArgumentParser

/// `danube completion`.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script for a shell.",
        discussion: """
            bash: danube completion bash > ~/.local/share/bash-completion/completions/danube
            zsh:  danube completion zsh > "${fpath[1]}/_danube"
            fish: danube completion fish > ~/.config/fish/completions/danube.fish
            """)

    /// A shell that the argument parser writes scripts for.
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "The shell: bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        var buffer = TextBuffer()
        buffer.put(Danube.completionScript(for: shell))
        buffer.put("\n")
        Output.out(buffer)
    }
}
