package main

import (
	"bytes"
	"encoding/json"
	"strings"
)

const secret = "hunter2"

var mask = strings.Repeat("*", len(secret))

// The events of an answer on their way: tokens are counted, and the secret is masked, also where events split it.
type answer struct {
	// The begin of an event.
	rest []byte
	// The end of a choice's text that the secret may begin with, by the choice's index.
	held                      map[int]string
	total, prompt, completion int
}

type completion struct {
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Content *string `json:"content"`
		} `json:"delta"`
	} `json:"choices"`
	Usage *struct {
		Total      int `json:"total_tokens"`
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
}

func newAnswer() *answer { return &answer{held: map[int]string{}} }

func (a *answer) tokens() int { return max(a.total, a.prompt+a.completion) }

func (a *answer) take(chunk []byte, last bool) []byte {
	a.rest = append(a.rest, chunk...)
	out := make([]byte, 0, len(a.rest))
	for {
		end := bytes.Index(a.rest, []byte("\n\n"))
		if end < 0 {
			break
		}
		out = a.event(out, a.rest[:end+2])
		a.rest = a.rest[end+2:]
	}
	if last {
		out = append(a.release(out), a.rest...)
		a.rest = nil
	}
	return out
}

func (a *answer) event(out, event []byte) []byte {
	data, isData := bytes.CutPrefix(event, []byte("data: "))
	var said completion
	if !isData || json.Unmarshal(data, &said) != nil {
		return append(a.release(out), event...)
	}
	if said.Usage != nil {
		a.total, a.prompt, a.completion = said.Usage.Total, said.Usage.Prompt, said.Usage.Completion
	}
	changed := map[int]string{}
	hasText := false
	for i, choice := range said.Choices {
		if choice.Delta.Content == nil {
			continue
		}
		hasText = true
		if shown := a.masked(choice.Index, *choice.Delta.Content); shown != *choice.Delta.Content {
			changed[i] = shown
		}
	}
	if !hasText {
		out = a.release(out)
	}
	if len(changed) == 0 {
		return append(out, event...)
	}
	return append(out, rewritten(data, changed)...)
}

// What of a choice's text can be shown by now.
func (a *answer) masked(index int, content string) string {
	text := strings.ReplaceAll(a.held[index]+content, secret, mask)
	keep := min(len(text), len(secret)-1)
	for !strings.HasPrefix(secret, text[len(text)-keep:]) {
		keep--
	}
	a.held[index] = text[len(text)-keep:]
	return text[:len(text)-keep]
}

// The texts that were held back, in events of their own.
func (a *answer) release(out []byte) []byte {
	for index, text := range a.held {
		if text == "" {
			continue
		}
		delta := map[string]any{"index": index, "delta": map[string]any{"content": text}}
		encoded, _ := json.Marshal(map[string]any{"choices": []any{delta}})
		out = append(append(append(out, "data: "...), encoded...), "\n\n"...)
		a.held[index] = ""
	}
	return out
}

// The event with other texts, and all else as it was.
func rewritten(data []byte, texts map[int]string) []byte {
	var whole map[string]any
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil
	}
	choices := whole["choices"].([]any)
	for i, text := range texts {
		choices[i].(map[string]any)["delta"].(map[string]any)["content"] = text
	}
	encoded, _ := json.Marshal(whole)
	return append(append([]byte("data: "), encoded...), "\n\n"...)
}
